/** What is good in a configuration and will not be for ever, or is less safe than a new installation. Pure. */
import { WALK_IN, type Pattern } from '@scanflow/booking';
import type { Config } from './schema.ts';

export interface ConfigWarning {
  /** Dotted, `bookings.patterns.0`. */
  readonly path: string;
  /** What is so, and what to write. */
  readonly message: string;
}

/** `path: message`, on one line. */
export const formatWarning = ({ path, message }: ConfigWarning): string => `${path}: ${message}`;

/** Shown by `scanflow check` and doctor, and logged at each start. */
export function configWarnings(config: Config): ConfigWarning[] {
  return [...slowPatterns(config), ...unruledLabels(config), ...walkInCalendar(config)];
}

const slowPatterns = (config: Config): ConfigWarning[] =>
  patternsIn(config).flatMap(([path, { advice }]) =>
    advice === undefined ? [] : [{ path, message: advice }],
  );

/** Every pattern of a configuration, with the path to it. */
export function patternsIn({
  bookings,
  calendars,
  arrivals,
  dashboard,
}: Config): (readonly [path: string, Pattern])[] {
  const listed = (path: string, patterns: readonly Pattern[] = []): (readonly [string, Pattern])[] =>
    patterns.map((pattern, index) => [`${path}.${index}`, pattern] as const);
  const { project, subject, session } = bookings.labels ?? {};
  const labels = Object.entries({ project, subject, session }).flatMap(([name, pattern]) =>
    pattern === undefined ? [] : [[`bookings.labels.${name}`, pattern] as const],
  );
  return [
    ...listed('bookings.patterns', bookings.patterns),
    ...labels,
    ...Object.entries(calendars).flatMap(([name, own]) => listed(`calendars.${name}.patterns`, own.patterns)),
    ...Object.entries(arrivals.patterns).map(
      ([keyword, pattern]) => [`arrivals.patterns.${keyword}`, pattern] as const,
    ),
    ...(dashboard.oidc?.projectPattern === undefined
      ? []
      : [['dashboard.oidc.projectPattern', dashboard.oidc.projectPattern] as const]),
  ];
}

const unruledLabels = ({ bookings, calendars }: Config): ConfigWarning[] =>
  bookings.labels !== undefined || Object.keys(calendars).length === 0
    ? []
    : [
        {
          path: 'bookings',
          message:
            'anybody who books may name any project, also one that only looks like another; write labels, as the sample scanflow.yaml does',
        },
      ];

/** Facilities may have had such a calendar before there were walk-ins. */
const walkInCalendar = ({ calendars }: Config): ConfigWarning[] =>
  Object.hasOwn(calendars, WALK_IN)
    ? [
        {
          path: `calendars.${WALK_IN}`,
          message:
            'this name is kept for walk-ins of the day board, and none can be added while a calendar has it; name the calendar otherwise once none of its bookings is to come, since they get new accession numbers then',
        },
      ]
    : [];

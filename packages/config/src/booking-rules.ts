/** From the configuration to the rules by which one calendar's events are judged. Pure. */
import {
  compilePattern,
  LABELS,
  WALK_IN,
  withLanguages,
  type BookingRules,
  type LabelRules,
  type Language,
  type ScannerRule,
} from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import type { Config } from './schema.ts';
import { scannersNamed } from './vocabulary.ts';

const KEYS = { project: ['Project'], subject: ['Subject'], session: ['Session'] };

/** The facility's own words and patterns for labels, without those of a calendar: for labels that a person types. */
export function facilityWords({
  bookings,
}: Pick<Config, 'bookings'>): Pick<BookingRules, 'keys' | 'patterns' | 'defaults' | 'labels'> {
  const { keys, languages, patterns } = bookings;
  return { keys: keysOf(keys, languages), patterns, defaults: {}, labels: labelRules({ bookings }) };
}

function keysOf(
  { project = KEYS.project, subject = KEYS.subject, session = KEYS.session }: Config['bookings']['keys'],
  languages: readonly Language[],
): BookingRules['keys'] {
  return withLanguages({ project, subject, session }, languages);
}

type Judging = Pick<Config, 'calendars' | 'bookings' | 'scanners' | 'facility'>;

/** What the identities of a calendar's bookings derive from; its name, unless the configuration gives another one. */
export const calendarId = ({ calendars }: Pick<Config, 'calendars'>, name: string): string =>
  calendars[name]?.id ?? name;

/** Names of calendars by their ids. */
export const calendarNamesById = ({ calendars }: Pick<Config, 'calendars'>): ReadonlyMap<string, string> =>
  new Map(Object.entries(calendars).map(([name, { id = name }]) => [id, name]));

/** Throws where the configuration has no such calendar. The list of projects is not in it: it is read apart. */
export function bookingRules(config: Judging, calendar: string): BookingRules {
  const own = config.calendars[calendar];
  if (own === undefined) throw new Error(`there is no calendar ${calendar}`);
  return rulesOf(config, own, { calendar: calendarId(config, calendar), scanner: scannerRule(own.scanner) });
}

export interface WalkInRules {
  /** The calendar whose list of projects counts; `walk-in` for the facility's own. */
  readonly list: string;
  readonly rules: BookingRules;
}

/** By what a walk-in of a scanner is judged: the rules of each calendar that books the scanner, or the facility's where none does. */
export function walkInRules(config: Judging, scanner: string): WalkInRules[] {
  const booking = Object.entries(config.calendars).filter(([, own]) =>
    scannersNamed([], own).some(([, name]) => name === scanner),
  );
  const all = booking.length > 0 ? booking : [[WALK_IN, {}] as const];
  return all.map(([list, own]) => ({
    list,
    rules: rulesOf(config, own, { calendar: WALK_IN, scanner: { name: scanner } }),
  }));
}

/** What a calendar does not say for itself, the facility says. */
function rulesOf(
  { bookings, scanners, facility }: Judging,
  own: Partial<Config['calendars'][string]>,
  of: Pick<BookingRules, 'calendar' | 'scanner'>,
): BookingRules {
  const { project, session } = own.defaults ?? bookings.defaults;
  return {
    ...of,
    zone: facility.timezone,
    labels: labelRules({ bookings }),
    patterns: own.patterns ?? bookings.patterns,
    keys: keysOf(own.keys ?? bookings.keys, own.languages ?? bookings.languages),
    defaults: defined({ project, session }),
    normalise: own.normalise ?? bookings.normalise,
    tentative: own.tentative ?? bookings.tentative,
    private: own.private ?? bookings.private,
    busy: own.busy ?? bookings.busy,
    defaultLength: own.defaultLength ?? bookings.defaultLength,
    modalities: Object.fromEntries(Object.entries(scanners).map(([name, { modality }]) => [name, modality])),
    patientId: bookings.patientId,
    patientName: bookings.patientName,
  };
}

/** What labels may be; undefined where the configuration does not say. For `labelProblem` of packages/booking. */
export function labelRules({ bookings: { labels } }: Pick<Config, 'bookings'>): LabelRules | undefined {
  if (labels === undefined) return undefined;
  const patterns = LABELS.flatMap((name) => {
    const { [name]: pattern } = labels;
    return pattern === undefined ? [] : [[name, compilePattern(`^(?:${pattern.source})$`)] as const];
  });
  return { characters: labels.characters, patterns: Object.fromEntries(patterns) };
}

function scannerRule(scanner: Config['calendars'][string]['scanner']): ScannerRule {
  if (typeof scanner === 'string') return { name: scanner };
  const { by, map, otherwise } = scanner;
  return {
    by,
    map,
    otherwise: otherwise === 'skip' || otherwise === 'reject' ? otherwise : { name: otherwise },
  };
}

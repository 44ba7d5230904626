/** From the configuration to the rules by which one calendar's events are judged. Pure. */
import {
  compilePattern,
  LABELS,
  withLanguages,
  type BookingRules,
  type LabelRules,
  type Language,
  type ScannerRule,
} from '@scanflow/booking';
import { defined } from '@scanflow/booking/defined';
import type { Config } from './schema.ts';

const KEYS = { project: ['Project'], subject: ['Subject'], session: ['Session'] };

/** How the facility writes labels, where no calendar is meant. */
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

/** Throws where the configuration has no such calendar. The list of projects is not in it: it is read apart. */
export function bookingRules(
  {
    calendars,
    bookings,
    scanners,
    facility,
  }: Pick<Config, 'calendars' | 'bookings' | 'scanners' | 'facility'>,
  calendar: string,
): BookingRules {
  const own = calendars[calendar];
  if (own === undefined) throw new Error(`there is no calendar ${calendar}`);
  const keys = own.keys ?? bookings.keys;
  const { project, session } = own.defaults ?? bookings.defaults;
  return {
    calendar,
    zone: facility.timezone,
    labels: labelRules({ bookings }),
    scanner: scannerRule(own.scanner),
    patterns: own.patterns ?? bookings.patterns,
    keys: keysOf(keys, own.languages ?? bookings.languages),
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

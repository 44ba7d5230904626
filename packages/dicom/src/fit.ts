/**
 * Texts and their VR: makes a text fit, in the characters of a set; warns of a booking's texts that a scanner shows
 * differently; checks texts that were read.
 */
import { warning, type BookingRecord, type Note } from '@scanflow/booking';
import { DEFAULT_CHARACTER_SET } from './character-sets.ts';
import { normalDateTime, normalTime } from './match-value.ts';
import { toEncodable, writableCharacterSet } from './text-encode.ts';
import { requireVr } from './layout.ts';

/** Characters of one value, of PN those of one component group (PS3.5 table 6.2-1). */
const LIMITS: Readonly<Record<string, number>> = {
  AE: 16,
  AS: 4,
  CS: 16,
  DA: 8,
  DS: 16,
  DT: 26,
  IS: 12,
  LO: 64,
  LT: 10_240,
  PN: 64,
  SH: 16,
  ST: 1024,
  TM: 14,
  UI: 64,
};
/** A name has three component groups at most (PS3.5 6.2.1). */
const MAX_GROUPS = 3;
const MULTI_LINE = new Set(['LT', 'ST', 'UT']);
const SHORTENED = new Set(['AE', 'CS', 'LO', 'LT', 'PN', 'SH', 'ST']);

/** Means the same in every character set and VR: nearly all there is. */
const PLAIN = /^[\x20-\x3c\x3e-\x5b\x5d-\x7d]*$/;

/** Made when first needed: it costs tens of milliseconds, and most programs never do. */
let segmenter: Intl.Segmenter | undefined;
const graphemes = (): Intl.Segmenter => (segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' }));

/**
 * The text as one value of this VR that encodes as it is: control characters become spaces (line ends stay in ST,
 * LT and UT), `\` becomes `/`, what the character set lacks is transliterated, surrounding spaces go, CS is in upper
 * case. AE, CS, SH, LO, PN, ST and LT are shortened to their limit, never within a character and its marks.
 * Throws on a character set that cannot be written.
 *
 * @example
 * ```ts
 * import { fit } from '@scanflow/dicom';
 *
 * fit('CS', 't1 mprage'); // → 'T1 MPRAGE'
 * fit('LO', 'Zoë\tŁódź', 'ISO_IR 100'); // → 'Zoë Lódz'
 * ```
 */
export function fit(vr: string, text: string, characterSet: string = DEFAULT_CHARACTER_SET): string {
  const { multiple, extended } = requireVr(vr);
  const limit = SHORTENED.has(vr) ? (LIMITS[vr] ?? Infinity) : Infinity;
  if (vr !== 'CS' && text.length <= limit && PLAIN.test(text)) return text.trim();
  const set = writableCharacterSet(extended ? characterSet : DEFAULT_CHARACTER_SET);
  const plain = withoutControls(text, MULTI_LINE.has(vr));
  const written = toEncodable(vr === 'CS' ? codeString(plain) : plain, set, multiple);
  if (vr !== 'PN') return shorten(written, limit);
  const groups = written.split('=').slice(0, MAX_GROUPS);
  return groups.map((group) => shorten(group, limit)).join('=');
}

/** The most characters that a value of this VR has, of PN each component group; undefined where there is no limit. */
export function limitOf(vr: string): number | undefined {
  return LIMITS[vr];
}

function withoutControls(text: string, multiLine: boolean): string {
  return multiLine ? text.replace(/(?![\t\n\f\r])\p{Cc}/gu, ' ') : text.replace(/\p{Cc}+/gu, ' ');
}

/** Upper case letters, digits, space and underscore (PS3.5 table 6.2-1). */
function codeString(text: string): string {
  return text.toUpperCase().replace(/[^A-Z0-9 _]/g, '_');
}

function shorten(text: string, limit: number): string {
  const trimmed = text.trim();
  if (trimmed.length <= limit) return trimmed;
  let kept = '';
  let count = 0;
  for (const { segment } of graphemes().segment(trimmed)) {
    count += Array.from(segment).length;
    if (count > limit) break;
    kept += segment;
  }
  return kept.trimEnd();
}

type Test = (value: string) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  AE: (value) => /^[\x20-\x5b\x5d-\x7e]*$/.test(value),
  AS: (value) => /^\d{3}[DWMY]$/.test(value),
  CS: (value) => /^[A-Z0-9 _]*$/.test(value),
  DA: isDay,
  DS: (value) => /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(value),
  DT: (value) => normalDateTime(value, 'first') !== undefined,
  IS: (value) => /^\s*[+-]?\d+\s*$/.test(value),
  TM: (value) => /^[\d.]*$/.test(value) && normalTime(value) !== undefined,
  UI: (value) => /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*$/.test(value),
};

/** Whether one value, without its padding, is of this VR: for reports, since what is read is read as it is. An empty one is. */
export function isValidText(vr: string, value: string): boolean {
  if (value === '') return true;
  const limit = limitOf(vr);
  const isShort = (part: string): boolean =>
    limit === undefined || part.length <= limit || Array.from(part).length <= limit;
  const fits = vr === 'PN' ? value.split('=').every(isShort) : isShort(value);
  return fits && (TESTS[vr]?.(value) ?? true);
}

/** Eight digits of a day that the calendar has: February has no 30th. */
function isDay(value: string): boolean {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(value) ?? [];
  if (year === undefined || Number(month) < 1 || Number(month) > 12 || Number(day) < 1) return false;
  return (
    Number(day) <= Temporal.PlainYearMonth.from({ year: Number(year), month: Number(month) }).daysInMonth
  );
}

/** The texts of a booking that a scanner shows, as warnings call them. */
const WORDS = {
  session: 'session',
  title: 'title',
  person: 'name of who booked',
  patientId: 'Patient ID',
  patientName: "Patient's Name",
};

/** Warnings about a booking's texts on a scanner with this character set: TEXT_REPLACED, TEXT_SHORTENED. */
export function recordNotes(record: BookingRecord, characterSet: string = DEFAULT_CHARACTER_SET): Note[] {
  const { title, operator = '', patientId, patientName, labels } = record;
  const texts: [vr: string, what: keyof typeof WORDS, text: string][] = [
    ['LO', 'title', title],
    ['PN', 'person', operator],
    ['LO', 'patientId', patientId],
    ['PN', 'patientName', patientName],
    // Requested Procedure ID
    ['SH', 'session', labels.session],
  ];
  const replaced = texts.filter(([vr, , text]) => isReplaced(vr, text, characterSet));
  const shortened = texts.filter(
    ([vr, what, text]) => !hasOwnNote(what, record) && isShortened(vr, text, characterSet),
  );
  return [
    ...(replaced.length === 0 ? [] : [replacedNote(named(replaced), characterSet)]),
    ...(shortened.length === 0 ? [] : [shortenedNote(named(shortened))]),
  ];
}

/** A session that is too long in every character set has its own warning, SESSION_SHORTENED. */
const hasOwnNote = (what: keyof typeof WORDS, { labels }: BookingRecord): boolean =>
  what === 'session' && labels.session.length > (limitOf('SH') ?? Infinity);

const named = (texts: readonly (readonly [string, keyof typeof WORDS, string])[]): string =>
  texts.map(([, what]) => WORDS[what]).join(' and the ');

const replacedNote = (what: string, characterSet: string): Note =>
  warning(
    'TEXT_REPLACED',
    `The ${what} has characters that this scanner's character set (${characterSet}) lacks; it shows the nearest ones, such as e for é.`,
  );

const shortenedNote = (what: string): Note =>
  warning('TEXT_SHORTENED', `The ${what} is longer than DICOM allows; the scanner shows its beginning.`);

const ASCII = /^[\x20-\x3c\x3e-\x5b\x5d-\x7d]*$/;

function isReplaced(vr: string, text: string, characterSet: string): boolean {
  if (ASCII.test(text)) return false;
  // compared piece by piece: a replacement that is longer must not look like a shortened text
  return Array.from(text.normalize('NFC')).some(
    (character) => fit(vr, character, characterSet) !== fit(vr, character, 'ISO_IR 192'),
  );
}

/** LT is written as LO is, but for its length. */
function isShortened(vr: string, text: string, characterSet: string): boolean {
  const limit = limitOf(vr) ?? Infinity;
  const pieces = vr === 'PN' ? text.split('=').slice(0, 3) : [text];
  return pieces.some(
    (piece) => piece.length * 4 > limit && Array.from(fit('LT', piece, characterSet)).length > limit,
  );
}

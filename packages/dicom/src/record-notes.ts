/** What a scanner will not show as it was written: characters that its set lacks, and texts that are too long. */
import { warning, type BookingRecord, type Note } from '@scanflow/booking';
import { DEFAULT_CHARACTER_SET } from './character-sets.ts';
import { fit, limitOf } from './fit.ts';

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
    ([vr, what, text]) => !isTold(what, record) && isShortened(vr, text, characterSet),
  );
  return [
    ...(replaced.length === 0 ? [] : [replacedNote(named(replaced), characterSet)]),
    ...(shortened.length === 0 ? [] : [shortenedNote(named(shortened))]),
  ];
}

/** A session that is too long in every character set has its own warning, SESSION_SHORTENED. */
const isTold = (what: keyof typeof WORDS, { labels }: BookingRecord): boolean =>
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

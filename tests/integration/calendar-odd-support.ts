/**
 * Calendars as programs really write them, and the one booking that a person sees in each. The kinds come from public
 * reports: declared character sets, encodings of vCalendar 1.0, HTML, texts that are not folded, and what stands around.
 */

/** One calendar, and what it must become. */
export interface OddInput {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly charset?: string;
  /** Booking, when it is not the usual one. */
  readonly labels?: string;
  /** A part of title or description that must be read rightly. */
  readonly reads?: string;
  readonly notes?: readonly string[];
}

/** What each booking says unless its row tells otherwise. */
export const USUAL = '3010000.01 sub-001 ses-mri01';
export const TITLE = `SUMMARY:${USUAL}`;
const TIMES = [
  'DTSTAMP:20260101T000000Z',
  'DTSTART;TZID=Europe/Amsterdam:20260302T090000',
  'DTEND;TZID=Europe/Amsterdam:20260302T100000',
];

export const calendar = (...lines: string[]): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//odd//EN',
    'BEGIN:VEVENT',
    'UID:odd',
    ...TIMES,
    ...lines,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');

export const LINES = 'Project: 3010000.01\\nSubject: sub-001\\nSession: ses-mri01';
export const utf8 = (text: string): Buffer => Buffer.from(text);
/** Characters up to U+00FF as their bytes. */
export const raw = (text: string): Buffer => Buffer.from(text, 'latin1');
export const described = (html: string, name = 'DESCRIPTION'): Buffer =>
  utf8(calendar('SUMMARY:MRI', `${name}:${html.replaceAll(',', '\\,').replaceAll('\n', '\\n')}`));
export const plain = calendar(TITLE);
export const swap16 = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
export const utf32 = (text: string): Buffer => {
  const bytes = Buffer.alloc(4 * text.length);
  for (let index = 0; index < text.length; index += 1) bytes.writeUInt32LE(text.charCodeAt(index), 4 * index);
  return bytes;
};

/** What people, word processors and web mail make of a text, undone: special spaces and dashes, invisible characters. */

const PLAIN = /^[\n\x20-\x7e]*$/;

/** Undoes special spaces, dashes and colons and drops invisible characters; lines end with LF. */
export function cleanText(text: string): string {
  if (PLAIN.test(text)) return text;
  return (
    text
      .normalize('NFC')
      .replaceAll(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/gu, ' ')
      .replaceAll(/[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/gu, '-')
      // zero-width characters, soft hyphens, fillers, variation selectors
      .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
      .replaceAll(/[\uff1a\ufe55\ufe13\u2236\ua789\u02d0]/gu, ':')
      // a line break of a word processor is a VT
      .replaceAll(/\r\n?|[\v\f\u2028\u2029\u0085]/gu, '\n')
  );
}

/** A text on one line, as DICOM's short texts are. */
export const oneLine = (text: string): string =>
  text
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();

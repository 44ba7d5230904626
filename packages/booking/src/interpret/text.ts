/** What people, word processors and web mail make of a text, undone: entities, HTML, special spaces and dashes. */

const PLAIN = /^[\n\x20-\x7e]*$/;

/** Undoes special spaces, dashes and colons and drops invisible characters; lines end with LF. */
export function cleanText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .normalize('NFC')
    .replaceAll(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/gu, ' ')
    .replaceAll(/[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/gu, '-')
    .replaceAll(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]/gu, '')
    .replaceAll('\uff1a', ':')
    .replaceAll(/\r\n?|[\u2028\u2029\u0085]/gu, '\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  nbsp: ' ',
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  ndash: '-',
  mdash: '-',
  shy: '',
};

/** HTML as plain text, one line for each block; plain text stays as it is but for entities. */
export function plainText(text: string): string {
  const bare = /<\/?[a-z][^<>]*>/iu.test(text) ? withoutTags(text) : text;
  return bare.replaceAll(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/giu, entity);
}

const withoutTags = (html: string): string =>
  withoutElements(withoutElements(html, 'style'), 'script')
    .replaceAll(/<(?:br|hr|\/?(?:p|div|li|tr|ul|ol|table|h\d))\b[^<>]*>/giu, '\n')
    .replaceAll(/<\/?[a-z!][^<>]*>/giu, '');

/** Without elements that hold no text. One that never ends is left, so that each character is looked at once. */
function withoutElements(html: string, name: string): string {
  const open = new RegExp(`<${name}\\b[^<>]*>`, 'giu');
  const close = new RegExp(`</${name}\\s*>`, 'giu');
  let kept = '';
  let from = 0;
  for (let found = open.exec(html); found !== null; found = open.exec(html)) {
    close.lastIndex = open.lastIndex;
    if (close.exec(html) === null) break;
    kept += html.slice(from, found.index);
    from = open.lastIndex = close.lastIndex;
  }
  return kept + html.slice(from);
}

function entity(
  whole: string,
  decimal: string | undefined,
  hexadecimal: string | undefined,
  name: string | undefined,
): string {
  if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
  const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : whole;
}

/** A text on one line, as DICOM's short texts are. */
export const oneLine = (text: string): string =>
  text
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();

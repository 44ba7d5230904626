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

// from here on: descriptions in HTML, which Outlook, Google and web mail make of the lines that somebody typed

const TAG = /<\/?[a-z][^<>]*>/iu;
/** Elements that descriptions are made of. Where their tags are escaped, the program escaped once too often. */
const ELEMENT =
  /<\/?(?:a|b|blockquote|body|br|center|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img|li|meta|o:p|ol|p|pre|s|small|span|strong|style|sub|sup|table|tbody|td|th|thead|title|tr|u|ul)(?:\s[^<>]*)?\/?>/iu;
/** How often a text is looked at again for what was escaped. */
const MOST_ROUNDS = 3;

/** `<sub-001>`: a code in the brackets of a form, and no element but `<h1>`. */
const CODE_IN_BRACKETS = /<(?!h[1-6]>)((?=[^<>]*\d)[A-Za-z\d][\w.+-]*)>/gu;

/** HTML as plain text, one line for each block; plain text stays as it is but for entities. */
export function plainText(typed: string): string {
  const text = typed.replaceAll(CODE_IN_BRACKETS, '$1');
  let plain = textOf(text, TAG.test(text));
  for (let round = 1; round < MOST_ROUNDS; round += 1) {
    const isHtml = ELEMENT.test(plain);
    if (!isHtml && !/&[a-z#]/iu.test(plain)) break;
    plain = textOf(plain, isHtml);
  }
  return plain;
}

const textOf = (text: string, isHtml: boolean): string => withoutEntities(isHtml ? withoutTags(text) : text);

/** Elements that hold no text of the description. */
const SILENT = ['head', 'style', 'script', 'title'];
const CELL = '\t';

function withoutTags(html: string): string {
  const spoken = SILENT.reduce(
    (rest, name) =>
      without(rest, new RegExp(`<${name}\\b[^<>]*>`, 'giu'), new RegExp(`</${name}\\s*>`, 'giu')),
    without(html, /<!--/gu, /-->/gu),
  );
  return withCells(
    spoken
      // a line end is a blank in HTML, but many programs mean a line by it: not beside a colon, where it cannot end one
      .replaceAll(/:[ \t\r]*\n/gu, ': ')
      .replaceAll(/\n[ \t]*:/gu, ':')
      .replaceAll(/(<(?:td|th|dt|dd)\b[^<>]*>)\s*<(?:p|div)\b[^<>]*>/giu, '$1')
      .replaceAll(/<\/(?:p|div)\s*>\s*(<\/(?:td|th|dt|dd)\s*>)/giu, '$1')
      .replaceAll(/<\/(?:td|th)\s*>\s*<(?:td|th)\b[^<>]*>|<\/dt\s*>\s*<dd\b[^<>]*>/giu, CELL)
      .replaceAll(
        /<(?:br|hr|\/?(?:p|div|li|tr|ul|ol|dl|dt|table|pre|blockquote|center|section|article|h\d))\b[^<>]*>/giu,
        '\n',
      )
      .replaceAll(/<\/?[a-z!][^<>]*>/giu, ''),
  );
}

/** Rows of two cells, of which the first is a key. Other cells are lines of their own. */
function withCells(text: string): string {
  if (!text.includes(CELL)) return text;
  const joined = text
    .split(CELL)
    .map((cell) => cell.trim())
    .join(CELL);
  return joined
    .split('\n')
    .map((line) => {
      const [key = '', value = '', ...more] = line.split(CELL);
      if (more.length > 0 || value === '') return line.replaceAll(CELL, '\n');
      if (/[:=]$/u.test(key)) return `${key} ${value}`;
      return /[:=]/u.test(key) ? `${key}\n${value}` : `${key}: ${value}`;
    })
    .join('\n');
}

/** Without what stands between marks. What never ends is left, so that each character is looked at once. */
function without(html: string, open: RegExp, close: RegExp): string {
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

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ nbsp: ' ', ensp: ' ', emsp: ' ', thinsp: ' ', numsp: ' ', puncsp: ' ', tab: ' ', newline: '\n' },
  ...{ shy: '', zwj: '', zwnj: '', lrm: '', rlm: '', zerowidthspace: '', wj: '', nobreak: '' },
  ...{ ndash: '-', mdash: '-', hyphen: '-', dash: '-', minus: '-', horbar: '-' },
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", colon: ':', semi: ';', comma: ',', period: '.' },
  ...{ lowbar: '_', num: '#', sol: '/', equals: '=', lpar: '(', rpar: ')', plus: '+', ast: '*', vert: '|' },
  ...{ lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', sbquo: '‚', bdquo: '„', laquo: '«', raquo: '»' },
  ...{ bull: '•', middot: '·', hellip: '…', szlig: 'ß', aelig: 'æ', oslash: 'ø', oelig: 'œ' },
};
/** Letters with a mark, such as `eacute`. */
const MARKS: Readonly<Record<string, string>> = {
  ...{ grave: '\u0300', acute: '\u0301', circ: '\u0302', tilde: '\u0303', uml: '\u0308', ring: '\u030a' },
  ...{ caron: '\u030c', cedil: '\u0327' },
};
const MARKED = /^([a-z])(grave|acute|circ|tilde|uml|ring|caron|cedil)$/iu;

const withoutEntities = (text: string): string =>
  text
    .replaceAll(/&nbsp;?/giu, ' ')
    .replaceAll(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,14}));/giu, entity);

function entity(
  whole: string,
  decimal: string | undefined,
  hexadecimal: string | undefined,
  name: string | undefined,
): string {
  if (name !== undefined) return named(name) ?? whole;
  const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
  if (code === 0 || code > 0x10ffff) return whole;
  // HTML 13.2.5.80: these are the characters of Windows-1252
  if (code >= 0x80 && code < 0xa0) return new TextDecoder('windows-1252').decode(Uint8Array.of(code));
  return String.fromCodePoint(code).toWellFormed();
}

function named(name: string): string | undefined {
  const [, letter = '', mark = ''] = MARKED.exec(name) ?? [];
  if (letter !== '') return `${letter}${MARKS[mark.toLowerCase()] ?? ''}`.normalize('NFC');
  const found = ENTITIES[name.toLowerCase()];
  return found !== undefined && /^[A-Z]/u.test(name) ? found.toUpperCase() : found;
}

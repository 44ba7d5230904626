/** What (0008,0005) says (PS3.3 C.12.1.1.2), also where somebody spelt it in another way that has one meaning only. */

/** Numbers of ISO registration of the sets of one byte a character, with the part of ISO 8859 that each is. */
const PARTS: Readonly<Record<string, string>> = {
  1: '100',
  2: '101',
  3: '109',
  4: '110',
  5: '144',
  6: '127',
  7: '126',
  8: '138',
  9: '148',
  11: '166',
  15: '203',
};
/** Latin alphabets are counted in another way than the parts. */
const LATINS: Readonly<Record<string, string>> = { 1: '1', 2: '2', 3: '3', 4: '4', 5: '9', 9: '15' };

/** These stand alone: no escape sequence leads to another set. */
const ALONE = new Set(['ISO_IR 192', 'GB18030', 'GBK']);
/** Sets of two bytes a character, which exist with code extensions only (PS3.3 table C.12-4). */
export const EXTENSIONS_ONLY: ReadonlySet<string> = new Set([
  'ISO 2022 IR 87',
  'ISO 2022 IR 159',
  'ISO 2022 IR 149',
  'ISO 2022 IR 58',
]);

/** Each way to write a set, and the defined term that is meant. */
const SPELLINGS: readonly (readonly [RegExp, (found: string) => string | undefined])[] = [
  [/^ISO[-_ ]*2022[-_ ]*IR[-_ ]*(\d+)$/, (number) => `ISO 2022 IR ${number}`],
  [/^(?:ISO[-_ ]*)?IR[-_ ]*(\d+)$/, (number) => `ISO_IR ${number}`],
  [/^(?:ISO[-_ ]*)?8859[-_ ]*(\d+)$/, (part) => partOf(part)],
  [/^LATIN[-_ ]*(\d+)$/, (latin) => partOf(LATINS[latin])],
  [/^(UTF)[-_ ]?8$/, () => 'ISO_IR 192'],
  [/^(GB)[-_ ]?18030$/, () => 'GB18030'],
  // what these hold beyond the term that is meant, no text of DICOM has
  [/^(?:WINDOWS|CP)[-_ ]?(1252)$/, () => 'ISO_IR 100'],
  [/^(GBK|GB[-_ ]?2312)$/, () => 'GBK'],
  [/^(?:US[-_ ]?)?(ASCII)$/, () => 'ISO_IR 6'],
  [/^(TIS)[-_ ]?620$/, () => 'ISO_IR 166'],
];

function partOf(part: string | undefined): string | undefined {
  const number = PARTS[part ?? ''];
  return number === undefined ? undefined : `ISO_IR ${number}`;
}

/** The defined term that is meant; what has no plain meaning stays as it is. */
function standardTerm(term: string): string {
  const plain = term.replace(/^[\s"']+|[\s"';,]+$/g, '').toUpperCase();
  for (const [spelling, meant] of SPELLINGS) {
    const [, found] = spelling.exec(plain) ?? [];
    if (found !== undefined) return meant(found) ?? term;
  }
  return term;
}

/**
 * The values of (0008,0005) as the standard writes them: `iso_ir 100`, `ISO-IR 100`, `ISO IR100` and `latin1` are `ISO_IR 100`.
 * Beside others, a set is `ISO 2022 IR nnn`; one that allows no others stands alone.
 */
export function standardTerms(terms: readonly string[]): readonly string[] {
  const meant = terms.map(standardTerm);
  if (meant.length < 2) return meant;
  const alone = meant.find((term) => ALONE.has(term));
  if (alone === undefined) return meant.map((term) => term.replace(/^ISO_IR /, 'ISO 2022 IR '));
  const isOnly = meant.every((term) => ['', 'ISO_IR 6', 'ISO 2022 IR 6', alone].includes(term));
  return isOnly || meant[0] === alone ? [alone] : meant;
}

/**
 * The same as it is written: a single set of one byte a character needs no code extensions, and one of two bytes a character
 * has ASCII beside it (PS3.3 C.12.1.1.2).
 */
export function termsToWrite(terms: readonly string[]): readonly string[] {
  const meant = standardTerms(terms);
  const [only] = meant;
  if (meant.length !== 1 || only === undefined) return meant;
  return EXTENSIONS_ONLY.has(only) ? ['', only] : [only.replace(/^ISO 2022 IR /, 'ISO_IR ')];
}

/**
 * Where an image goes below the root: `{project}/raw/{SeriesNumber:3}-{SeriesDescription}/{SOPInstanceUID}.dcm`.
 * Total: whatever the images say, the result is a list of harmless names.
 */

/** Longest value and longest name, in bytes of UTF-8. A name keeps room for a `_` and a hash. */
export const MAX_VALUE_BYTES = 100;
export const MAX_NAME_BYTES = 230;

/** Names that the streamer itself writes into a series' folder. */
export const MANIFEST_NAME = 'manifest-sha256.txt';
export const RECORD_NAME = 'series.json';

type Piece = { readonly text: string } | { readonly keyword: string; readonly width: number };
type Part = readonly Piece[];

export interface Layout {
  readonly folder: readonly Part[];
  readonly file: Part;
}

/** What a placeholder stands for: a label or the value of an attribute, undefined where there is none. */
export type ValueOf = (keyword: string) => string | undefined;

const FIELD = /\{([A-Za-z][A-Za-z0-9]*)(?::(\d{1,2}))?\}/g;

/**
 * Reads a template. Parts are separated by `/`; the last is the file's name, the others are its folder.
 * Throws an Error that says what is wrong with the template.
 */
export function parseLayout(template: string): Layout {
  const parts = template.split('/').map(parsePart);
  const file = parts.pop();
  if (file === undefined || parts.length === 0)
    throw new Error(`the layout ${template} needs a folder and a file name`);
  return { folder: parts, file };
}

function parsePart(part: string): Part {
  if (part === '' || part === '.' || part === '..')
    throw new Error(`the layout has an empty part, or one that is . or ..`);
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of part.matchAll(FIELD)) {
    if (match.index > end) pieces.push({ text: part.slice(end, match.index) });
    pieces.push({ keyword: match[1] ?? '', width: Number(match[2] ?? 0) });
    end = match.index + match[0].length;
  }
  if (end < part.length) pieces.push({ text: part.slice(end) });
  const stray = pieces.find((piece) => 'text' in piece && /[{}]/.test(piece.text));
  if (stray !== undefined) throw new Error(`the layout's ${part} has a brace that belongs to no {Keyword}`);
  return pieces;
}

/** Keywords that a layout asks for. */
export function keywordsOf(layout: Layout): string[] {
  const pieces = [...layout.folder, layout.file].flat();
  return [...new Set(pieces.flatMap((piece) => ('keyword' in piece ? [piece.keyword] : [])))];
}

/** The folder's names, from the root down. */
export function folderNames(layout: Layout, valueOf: ValueOf): string[] {
  return layout.folder.map((part) => safeName(fill(part, valueOf), ''));
}

/** The file's name; the template's own extension survives any cut. */
export function fileName(layout: Layout, valueOf: ValueOf): string {
  const last = layout.file.at(-1);
  const extension =
    last !== undefined && 'text' in last ? (/\.[A-Za-z0-9]{1,8}$/.exec(last.text)?.[0] ?? '') : '';
  const name = fill(layout.file, valueOf);
  return safeName(name.slice(0, name.length - extension.length), extension);
}

function fill(part: Part, valueOf: ValueOf): string {
  return part
    .map((piece) => ('text' in piece ? clean(piece.text) : safeValue(valueOf(piece.keyword), piece.width)))
    .join('');
}

/**
 * One value, fit to stand in a name: letters, marks, digits and `. _ - + = , @` stay, anything else becomes one `_`;
 * at most MAX_VALUE_BYTES; `none` where nothing is left. A whole number gets leading zeros up to `width` and
 * keeps all of its digits.
 */
export function safeValue(value: string | undefined, width = 0): string {
  const trimmed = (value ?? '').trim();
  const number = width > 0 ? /^([+-]?)0*(\d+)$/.exec(trimmed) : null;
  if (number !== null && trimmed.length <= MAX_VALUE_BYTES) {
    const [, sign, digits = ''] = number;
    return `${sign === '-' ? '-' : ''}${digits.padStart(width, '0')}`;
  }
  // longer than any attribute: cut first, so that a hostile megabyte costs nothing
  const cleaned = cutBytes(clean(trimmed.slice(0, 1024)), MAX_VALUE_BYTES).replace(/^[_.]+|[_.]+$/g, '');
  return cleaned === '' ? 'none' : cleaned;
}

function clean(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}._\-+=,@]+/gu, '_')
    .replace(/\.{2,}/g, '.')
    .normalize('NFC');
}

/** Device names of Windows, on which project storage may well be mounted. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const RESERVED = new Set([MANIFEST_NAME, RECORD_NAME]);

function safeName(name: string, extension: string): string {
  const room = MAX_NAME_BYTES - extension.length;
  const bare = cutBytes(
    name
      .replace(/\.{2,}/g, '.')
      .normalize('NFC')
      .replace(/^[.\s-]+/, '_'),
    room,
  ).replace(/[.\s]+$/, '');
  const stem = bare === '' ? 'none' : bare;
  const full = `${stem}${extension}`;
  return DEVICE.test(full) || RESERVED.has(full.toLowerCase()) ? `_${full}` : full;
}

/** Cuts at a code point's edge. */
function cutBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let used = 0;
  let kept = '';
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > bytes) break;
    kept += character;
  }
  return kept;
}

/** A name made another by a suffix before its extension: `a.dcm`, `1f2e` → `a_1f2e.dcm`. */
export function withSuffix(name: string, suffix: string): string {
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? '';
  return `${name.slice(0, name.length - extension.length)}_${suffix}${extension}`;
}

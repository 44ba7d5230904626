/**
 * Where an image goes: the root of its project, and below it `{project}/raw/{SeriesNumber:3}-{SeriesDescription}/{SOPInstanceUID}.dcm`.
 * Total: whatever the images say, the result is a list of harmless names.
 */
import { bidsLabel, clean, extensionOf, safeLabel, safeName, safeValue } from '../disk/names.ts';
import { fits } from '../../model/rule.ts';

interface Field {
  readonly keyword: string;
  readonly width: number;
  /** `{subject:bids}`. */
  readonly bids: boolean;
}
type Piece = { readonly text: string } | Field;
type Part = readonly Piece[];

export interface Layout {
  readonly folder: readonly Part[];
  readonly file: Part;
}

/** What a placeholder stands for: a label or the value of an attribute, undefined where there is none. */
type ValueOf = (keyword: string) => string | undefined;

const FIELD = /\{([A-Za-z][A-Za-z0-9]*)(?::(\d{1,2}|bids))?\}/g;
/** Labels, with the prefix that BIDS gives them. */
const LABELS: ReadonlyMap<string, 'sub' | 'ses' | undefined> = new Map([
  ['project', undefined],
  ['subject', 'sub'],
  ['session', 'ses'],
]);

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
    const [whole, keyword = '', format = '0'] = match;
    if (format === 'bids' && LABELS.get(keyword) === undefined)
      throw new Error(`the layout's ${whole}: only {subject:bids} and {session:bids} there are`);
    pieces.push({ keyword, width: format === 'bids' ? 0 : Number(format), bids: format === 'bids' });
    end = match.index + whole.length;
  }
  if (end < part.length) pieces.push({ text: part.slice(end) });
  const stray = pieces.find((piece) => 'text' in piece && /[{}]/.test(piece.text));
  if (stray !== undefined) throw new Error(`the layout's ${part} has a brace that belongs to no {Keyword}`);
  return pieces;
}

/** Keywords that a layout asks for, labels included. */
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
  const extension = last !== undefined && 'text' in last ? extensionOf(last.text) : '';
  const name = fill(layout.file, valueOf);
  return safeName(name.slice(0, name.length - extension.length), extension);
}

const fill = (part: Part, valueOf: ValueOf): string =>
  part
    .map((piece) => ('text' in piece ? clean(piece.text) : fieldValue(piece, valueOf(piece.keyword))))
    .join('');

function fieldValue({ keyword, width, bids }: Field, value: string | undefined): string {
  if (!LABELS.has(keyword)) return safeValue(value, width);
  const prefix = LABELS.get(keyword);
  if (bids && prefix !== undefined) return bidsLabel(prefix, value);
  return width > 0 ? safeValue(value, width) : safeLabel(value);
}

export interface Home<L> {
  /** A project's label, or several with `*`. */
  readonly projects: string;
  readonly root: string;
  readonly layout: L;
}

/** The home of a project: its own label first, then the longest that fits; undefined where it lives with the others. */
export function homeOf<L>(project: string | undefined, homes: readonly Home<L>[]): Home<L> | undefined {
  if (project === undefined) return undefined;
  const fitting = homes.filter(({ projects }) => fits(projects, project));
  const rank = ({ projects }: Home<L>): number => (projects === project ? Infinity : projects.length);
  return fitting.toSorted((a, b) => rank(b) - rank(a))[0];
}

/** One walk over the YAML document: where everything stands, and mistakes that its plain data no longer shows. */
import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Node, type Pair } from 'yaml';

export interface Position {
  readonly line: number;
  readonly column: number;
}

export type Path = readonly (string | number)[];

export interface Problem {
  readonly at: Position;
  readonly path: Path;
  readonly message: string;
}

export interface Outline {
  /**
   * Position of the value at `path`; of its key where `atKey`; of the nearest parent where there is no such path
   * (a missing key is shown at the mapping that lacks it).
   */
  positionOf(path: Path, atKey?: boolean): Position;
  /** Whether the key is written in the file, whatever its value. */
  readonly has: (path: Path) => boolean;
  readonly problems: readonly Problem[];
}

interface Place {
  readonly key: Position;
  readonly value: Position;
}

const START: Position = { line: 1, column: 1 };
const MAX_DEPTH = 16;
const idOf = (path: Path): string => path.join('\0');

export function outlineOf(document: Document, lines: LineCounter): Outline {
  const places = new Map<string, Place>();
  const problems: Problem[] = [];
  const positionOfNode = (node: unknown, otherwise: Position): Position => startOf(node, lines) ?? otherwise;

  const visit = (node: unknown, path: Path, at: Position): void => {
    if (path.length > MAX_DEPTH) problems.push({ at, path: [], message: 'is nested too deeply' });
    else if (isAlias(node) && node.resolve(document) === undefined)
      problems.push({
        at,
        path,
        message: `there is no &${node.source} above that *${node.source} could mean`,
      });
    else if (isMap(node)) for (const pair of node.items) visitPair(pair, path, at);
    else if (isSeq(node))
      for (const [index, item] of node.items.entries()) {
        const value = positionOfNode(item, at);
        places.set(idOf([...path, index]), { key: value, value });
        visit(item, [...path, index], value);
      }
  };
  const visitPair = ({ key, value }: Pair, parent: Path, at: Position): void => {
    const keyAt = positionOfNode(key, at);
    const name = nameOf(key);
    if (name === undefined) {
      problems.push({ at: keyAt, path: parent, message: 'expected a word as key' });
      return;
    }
    const path = [...parent, name];
    const first = places.get(idOf(path));
    if (first !== undefined)
      problems.push({ at: keyAt, path, message: `stands here twice, first in line ${first.key.line}` });
    const valueAt = positionOfNode(value, keyAt);
    places.set(idOf(path), { key: keyAt, value: valueAt });
    visit(value, path, valueAt);
  };

  const root = positionOfNode(document.contents, START);
  visit(document.contents, [], root);
  return {
    positionOf: (path, atKey = false) => {
      for (let length = path.length; length > 0; length -= 1) {
        const place = places.get(idOf(path.slice(0, length)));
        if (place !== undefined) return atKey && length === path.length ? place.key : place.value;
      }
      return root;
    },
    has: (path) => places.has(idOf(path)),
    problems,
  };
}

function startOf(node: unknown, lines: LineCounter): Position | undefined {
  const start = (node as Node | null | undefined)?.range?.[0];
  if (start === undefined) return undefined;
  const { line, col } = lines.linePos(start);
  return { line, column: col };
}

/** Text of a key; undefined for lists, mappings, nothing, and for the one name that plain objects treat specially. */
function nameOf(key: unknown): string | undefined {
  const value: unknown = isScalar(key) ? key.value : undefined;
  const isName = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isName && value !== '__proto__' ? String(value) : undefined;
}

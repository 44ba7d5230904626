/** Where a path of the configuration stands in the YAML text. */
import { isMap, isScalar, isSeq, type Document, type LineCounter, type Node, type Pair } from 'yaml';

export interface Position {
  readonly line: number;
  readonly column: number;
}

const START: Position = { line: 1, column: 1 };

/**
 * The position of the value at `path`; of its key where `atKey`; of the nearest parent where the path does not exist
 * (a missing key is shown at the mapping that lacks it).
 */
export function positionOf(
  document: Document,
  lines: LineCounter,
  path: readonly (string | number)[],
  atKey = false,
): Position {
  let node: unknown = document.contents;
  let best: Position = positionOfNode(node, lines) ?? START;
  for (const [index, step] of path.entries()) {
    const pair = pairOf(node, step);
    if (pair !== undefined) {
      const last = index === path.length - 1;
      best = positionOfNode(pair.key, lines) ?? best;
      node = pair.value;
      if (!(last && atKey)) best = positionOfNode(node, lines) ?? best;
    } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
      node = node.items[step];
      best = positionOfNode(node, lines) ?? best;
    } else {
      return best;
    }
  }
  return best;
}

const pairOf = (node: unknown, step: string | number): Pair | undefined =>
  isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step)) : undefined;

function positionOfNode(node: unknown, lines: LineCounter): Position | undefined {
  const range = (node as Node | null | undefined)?.range;
  if (range === null || range === undefined) return undefined;
  const { line, col } = lines.linePos(range[0]);
  return { line, column: col };
}

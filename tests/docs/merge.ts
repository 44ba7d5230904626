/** Puts a piece of YAML that a page shows into the file that it belongs to. */
import { isMap, parseDocument, type Document, type YAMLMap } from 'yaml';

/** The text of the file with the keys of the piece: maps are merged key by key, anything else takes the old value's place. */
export function mergeYaml(text: string, piece: string): string {
  const document = parseDocument(text);
  const { contents } = parseDocument(piece);
  if (!isMap(contents)) throw new Error(`the piece has no keys:\n${piece}`);
  merge(document, [], contents);
  return String(document);
}

function merge(document: Document, path: readonly unknown[], piece: YAMLMap): void {
  for (const { key, value } of piece.items) {
    const at = [...path, key];
    if (isMap(value) && isMap(document.getIn(at, true))) merge(document, at, value);
    else document.setIn(at, value);
  }
}

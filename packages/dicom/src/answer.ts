/** The identifier of a C-FIND response: what was asked for, of an item that matches (PS3.4 K.2.2.1.2, K.4.1.1.3.2). */
import type { DataSet, Element, Tag } from './dataset.ts';
import { vrOf } from './dictionary.ts';
import { isKey, matcher, type MatchOptions } from './match.ts';
import { requireVr } from './vr.ts';
import { conditionalSequences } from './worklist-attributes.ts';

/**
 * The item's attributes that the identifier has as keys, at every depth. What the item does not know is there with
 * zero length, except for sequences of type 1C, which are absent. A sequence key without item, or with an empty one,
 * asks for everything in the item's sequence (PS3.4 C.2.2.2.6); one with keys for the items that match these.
 * Specific Character Set is left to the encoder.
 */
export function answer(identifier: DataSet, item: DataSet, options?: MatchOptions): DataSet {
  const answered = new Map<Tag, Element>();
  for (const [tag, key] of identifier) {
    if (!isKey(tag)) continue;
    const element = answerElement(tag, key, item.get(tag), options);
    if (element !== undefined) answered.set(tag, element);
  }
  return answered;
}

function answerElement(
  tag: Tag,
  key: Element,
  element: Element | undefined,
  options: MatchOptions | undefined,
): Element | undefined {
  if (element === undefined || isEmptySequence(element))
    return conditionalSequences.has(tag) ? undefined : (element ?? unknown(tag, key));
  if (key.kind !== 'sequence' || element.kind !== 'sequence') return element;
  const keys = key.items.filter((item) => item.size > 0);
  if (keys.length === 0) return element;
  return { vr: 'SQ', kind: 'sequence', items: matchingItems(keys, element.items, options) };
}

const isEmptySequence = (element: Element): boolean =>
  element.kind === 'sequence' && element.items.length === 0;

function matchingItems(
  keys: readonly DataSet[],
  items: readonly DataSet[],
  options: MatchOptions | undefined,
): DataSet[] {
  const tests = keys.map((key) => ({ key, match: matcher(key, options) }));
  return items.flatMap((item) => {
    const found = tests.find(({ match }) => match(item));
    return found === undefined ? [] : [answer(found.key, item, options)];
  });
}

/** Zero length, in the VR that the query used unless that was UN. */
function unknown(tag: Tag, key: Element): Element {
  const vr = key.vr === 'UN' ? vrOf(tag) : key.vr;
  const { kind } = requireVr(vr);
  if (kind === 'sequence') return { vr: 'SQ', kind, items: [] };
  return kind === 'text' ? { vr, kind, values: [] } : { vr, kind, bytes: new Uint8Array(0) };
}

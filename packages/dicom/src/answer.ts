/** The identifier of a C-FIND response: the requested keys of an item that matches (PS3.4 K.2.2.1.2, K.4.1.1.3.2). */
import type { DataSet, Element, Tag } from './dataset.ts';
import { tagOf, vrOf } from './dictionary.ts';
import { isKey, matcher, type MatchOptions } from './match.ts';
import { requireVr } from './vr.ts';
import { conditionalSequences, levelIn } from './worklist-attributes.ts';

/** What an item answers; made once for a query and used for every item. */
export type Answerer = (item: DataSet) => DataSet;

/** As `answerer`, for one item that matches. */
export function answer(identifier: DataSet, item: DataSet, options?: MatchOptions): DataSet {
  return answerer(identifier, options)(item);
}

/**
 * Compiles an identifier to what it asks of each item: the attributes that it has as keys, at every depth. What the
 * item does not know is there with zero length, except for sequences of type 1C, which are absent. A sequence key
 * without item, or with an empty one, asks for everything in the item's sequence (PS3.4 C.2.2.2.6); one with keys for
 * the items that match these. Specific Character Set is left to the encoder; Timezone Offset From UTC is there only where
 * the item states it.
 */
export function answerer(identifier: DataSet, options?: MatchOptions): Answerer {
  const parts = [...identifier].flatMap(([tag, key]) => {
    if (tag === TIMEZONE) return [{ tag, answerOf: (element: Element | undefined) => element }];
    return isKey(tag) ? [{ tag, answerOf: elementAnswerer(tag, key, options) }] : [];
  });
  return (item) => {
    const answered = new Map<Tag, Element>();
    for (const { tag, answerOf } of parts) {
      const element = answerOf(item.get(tag));
      if (element !== undefined) answered.set(tag, element);
    }
    return answered;
  };
}

/** Says how the item's times are meant. Returned if the query requests it and the item states it, and never matched. */
const TIMEZONE = tagOf('TimezoneOffsetFromUTC');

type ElementAnswerer = (element: Element | undefined) => Element | undefined;

function elementAnswerer(tag: Tag, key: Element, options: MatchOptions | undefined): ElementAnswerer {
  const conditional = conditionalSequences.has(tag);
  const nothing = unknown(tag, key);
  const keys = key.kind === 'sequence' ? key.items.filter((item) => item.size > 0) : [];
  const parts = keys.map((item) => ({
    match: matcher(item, options, levelIn(tag, 'identifier')),
    answerOf: answerer(item, options),
  }));
  return (element) => {
    if (element === undefined || isEmptySequence(element))
      return conditional ? undefined : (element ?? nothing);
    if (parts.length === 0 || element.kind !== 'sequence') return element;
    const items = element.items.flatMap((item) => {
      const found = parts.find(({ match }) => match(item));
      return found === undefined ? [] : [found.answerOf(item)];
    });
    return { vr: 'SQ', kind: 'sequence', items };
  };
}

const isEmptySequence = (element: Element): boolean =>
  element.kind === 'sequence' && element.items.length === 0;

/** Zero length, in the VR that the query used unless that was UN. */
function unknown(tag: Tag, key: Element): Element {
  const vr = key.vr === 'UN' ? vrOf(tag) : key.vr;
  const { kind } = requireVr(vr);
  if (kind === 'sequence') return { vr: 'SQ', kind, items: [] };
  return kind === 'text' ? { vr, kind, values: [] } : { vr, kind, bytes: new Uint8Array(0) };
}

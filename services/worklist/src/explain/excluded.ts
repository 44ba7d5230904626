/** Which keys of a query exclude an item, each judged by itself. Pure. */
import {
  formatTag,
  keywordOf,
  matcher,
  tagOf,
  type DataSet,
  type Element,
  type MatchOptions,
  type Tag,
} from '@scanflow/dicom';
import { isShown, shorten } from '../domain/keys.ts';

/** A key that the item does not match. Values stand only where they say nothing of a person. */
export interface Excluding {
  /** Such as `ScheduledProcedureStepSequence.Modality`; start date and time together where both are ranges. */
  readonly key: string;
  readonly asked?: string;
  readonly has?: string;
}

const START: readonly Tag[] = [
  tagOf('ScheduledProcedureStepStartDate'),
  tagOf('ScheduledProcedureStepStartTime'),
];

/** Makes a query of one key at its place. */
type Wrap = (keys: DataSet) => DataSet;

/** The keys that exclude the item; empty where the query matches it. */
export function excludingKeys(identifier: DataSet, item: DataSet, options: MatchOptions): Excluding[] {
  const isMatch = (keys: DataSet): boolean => matcher(keys, options)(item);
  if (isMatch(identifier)) return [];
  const found = walk(identifier, [item], '', (keys) => keys, isMatch);
  // several items of a sequence that only exclude it together
  return found.length > 0 ? found : [{ key: 'the combination of its sequences' }];
}

function walk(
  keys: DataSet,
  items: readonly DataSet[],
  path: string,
  wrap: Wrap,
  isMatch: (keys: DataSet) => boolean,
): Excluding[] {
  return groups(keys).flatMap((group): Excluding[] => {
    if (isMatch(wrap(new Map(group)))) return [];
    const [[tag, key] = [0, undefined]] = group;
    const inner = key?.kind === 'sequence' && key.items.length === 1 ? key.items[0] : undefined;
    if (inner !== undefined) {
      const below = items.flatMap((item) => itemsOf(item.get(tag)));
      const inside: Wrap = (one) =>
        wrap(new Map<Tag, Element>([[tag, { vr: 'SQ', kind: 'sequence', items: [one] }]]));
      const found = walk(inner, below, `${path}${nameOf(tag)}.`, inside, isMatch);
      if (found.length > 0) return found;
    }
    return [describe(group, items, path)];
  });
}

/** Each key by itself, but start date and time together: as ranges they are one period (PS3.4 table K.6-1). */
function groups(keys: DataSet): (readonly [Tag, Element])[][] {
  const start = START.flatMap((tag): (readonly [Tag, Element])[] => {
    const key = keys.get(tag);
    return key === undefined ? [] : [[tag, key]];
  });
  const isPeriod = start.length === 2 && start.every(([, key]) => valueOf(key).includes('-'));
  const others = [...keys].filter(([tag]) => !isPeriod || !START.includes(tag));
  return [...(isPeriod ? [start] : []), ...others.map((one) => [one])];
}

function describe(
  group: readonly (readonly [Tag, Element])[],
  items: readonly DataSet[],
  path: string,
): Excluding {
  const key = group.map(([tag]) => path + nameOf(tag)).join(' and ');
  if (!group.every(([tag, one]) => one.kind === 'text' && isShown(nameOf(tag), valueOf(one)))) return { key };
  const has = items.map((item) => group.map(([tag]) => valueOf(item.get(tag)) || 'nothing').join(' '));
  const asked = group.map(([, one]) => valueOf(one)).join(' ');
  return { key, asked: shorten(asked), has: shorten(has.join(', ') || 'nothing') };
}

const nameOf = (tag: Tag): string => keywordOf(tag) ?? formatTag(tag);
const itemsOf = (element: Element | undefined): readonly DataSet[] =>
  element?.kind === 'sequence' ? element.items : [];
const valueOf = (element: Element | undefined): string =>
  element?.kind === 'text' ? element.values.join('\\') : '';

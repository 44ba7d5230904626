/** A query that a person writes down, as findscu's -k takes keys: `PatientName=Doe*`, `ScheduledProcedureStepSequence[0].Modality=MR`. Pure. */
import { formatTag, keywordOf, makeElement, tagOf, vrOf } from '@scanflow/dicom';
import type { DataSet, Element, Tag } from '@scanflow/dicom';
import { messageOf } from '@scanflow/failure';

export type Given =
  { readonly ok: true; readonly identifier: DataSet } | { readonly ok: false; readonly reason: string };

/** The identifier of these keys. */
export function givenQuery(keys: readonly string[]): Given {
  try {
    return {
      ok: true,
      identifier: keys.reduce<DataSet>((identifier, key) => add(identifier, ...parsed(key)), new Map()),
    };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

/** Path and value. */
function parsed(key: string): [path: readonly Tag[], value: string] {
  const at = key.indexOf('=');
  const path = (at < 0 ? key : key.slice(0, at)).split('.').map((part) => tagIn(part.replace(/\[0\]$/, '')));
  return [path, at < 0 ? '' : key.slice(at + 1)];
}

function tagIn(name: string): Tag {
  const [, group, element] = /^\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?$/.exec(name) ?? [];
  if (group !== undefined && element !== undefined) return Number.parseInt(group + element, 16);
  try {
    return tagOf(name);
  } catch {
    throw new Error(
      `${name} is no keyword of DICOM; keys are like Modality=MR or ScheduledProcedureStepSequence.Modality=MR`,
    );
  }
}

function add(keys: DataSet, [tag, ...rest]: readonly Tag[], value: string): DataSet {
  if (tag === undefined) return keys;
  if (rest.length === 0) return new Map(keys).set(tag, leaf(tag, value));
  if (vrOf(tag) !== 'SQ') throw new Error(`${nameOf(tag)} is no sequence, so it holds no other key`);
  return new Map(keys).set(tag, nested(keys.get(tag), rest, value));
}

function nested(before: Element | undefined, path: readonly Tag[], value: string): Element {
  const inner = before?.kind === 'sequence' ? before.items[0] : undefined;
  return { vr: 'SQ', kind: 'sequence', items: [add(inner ?? new Map(), path, value)] };
}

function leaf(tag: Tag, value: string): Element {
  const vr = vrOf(tag);
  if (vr === 'SQ' && value !== '')
    throw new Error(`${nameOf(tag)} is a sequence: name a key in it, such as ${nameOf(tag)}.Modality=MR`);
  if (vr === 'SQ') return { vr, kind: 'sequence', items: [] };
  if (value === '') return makeElement(vr, null);
  const numbers = value.split('\\').map(Number);
  if (!NUMBERS.has(vr)) return makeElement(vr, value.split('\\'));
  if (!numbers.every(Number.isFinite)) throw new Error(`${nameOf(tag)} takes a number`);
  return makeElement(vr, numbers);
}

const nameOf = (tag: Tag): string => keywordOf(tag) ?? formatTag(tag);

/** VRs whose values are numbers in binary. */
const NUMBERS = new Set(['US', 'SS', 'UL', 'SL', 'FL', 'FD']);

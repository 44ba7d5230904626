/** `series.json`: how it grows, what the ledger keeps of it, and the tag that the images of the series get. */
import { defined, given } from '@scanflow/failure/defined';
import { createHash } from 'node:crypto';
import { isTagText, utcDateTime, type PrivateTag } from '@scanflow/dicom';
import type { SeriesRecord, TagRecord, StoredInstance } from './types.ts';
import { judge, SENT_BY, traitsOfRecord, type Rule } from '../model/rule.ts';
import type { Attributes } from '../model/series.ts';

type Growing = 'orthancId' | 'fileUuid' | 'sopInstanceUid' | 'file' | 'sha256' | 'increment';

/** What of an image decides how the record grows. */
export type Entry = Pick<StoredInstance, Growing | 'differsFrom' | 'version' | 'also'>;

/**
 * The record's entries with those that were pulled. The same file with the same bytes is the same entry, whatever
 * copy of Orthanc's it came from; the same SOP Instance UID with other bytes is kept beside the first and says so.
 */
export function grown<E extends Entry>(known: readonly E[], pulled: readonly E[]): E[] {
  const byFile = new Map(known.map((entry) => [entry.file, entry]));
  const firsts = new Map<string, E>();
  for (const entry of known) if (!firsts.has(entry.sopInstanceUid)) firsts.set(entry.sopInstanceUid, entry);
  for (const entry of pulled) {
    const same = byFile.get(entry.file);
    if (same !== undefined && same.sha256 === entry.sha256) {
      byFile.set(entry.file, sameBytes(same, entry));
      continue;
    }
    const first = entry.sopInstanceUid === '' ? undefined : firsts.get(entry.sopInstanceUid);
    if (first === undefined) firsts.set(entry.sopInstanceUid, entry);
    byFile.set(entry.file, first === undefined ? entry : { ...entry, differsFrom: first.file });
  }
  return [...byFile.values()];
}

/** An instance that Orthanc replaced has one file; one with versions keeps each of them. */
function sameBytes<E extends Entry>(known: E, again: E): E {
  const { fileUuid, orthancId, version } = again;
  const both = known.orthancId === orthancId && (version !== undefined || known.version !== undefined);
  const also = [...(known.also ?? []), ...(both ? [known.fileUuid] : [])].filter((one) => one !== fileUuid);
  return {
    ...known,
    fileUuid,
    orthancId,
    ...defined({ version }),
    ...(also.length === 0 ? {} : { also: [...new Set(also)] }),
  };
}

/** Of each SOP Instance UID the entry that came last; entries without a UID stand for themselves. */
export function newest<E extends Pick<Entry, 'sopInstanceUid' | 'increment' | 'version'>>(
  entries: readonly E[],
): Set<E> {
  const latest = new Map<string, E>();
  const nameless = entries.filter(({ sopInstanceUid }) => sopInstanceUid === '');
  for (const entry of entries) {
    const { sopInstanceUid: uid } = entry;
    const before = latest.get(uid);
    if (uid !== '' && (before === undefined || isLater(entry, before))) latest.set(uid, entry);
  }
  return new Set([...latest.values(), ...nameless]);
}

type Moment = Pick<Entry, 'increment' | 'version'>;

/** Versions that were stored with one another count by their numbers; else the later pull is the later one. */
const isLater = (one: Moment, other: Moment): boolean =>
  one.increment === other.increment
    ? (one.version ?? 0) > (other.version ?? 0)
    : one.increment > other.increment;

/** An image as Orthanc lists it, or as the record names it. */
type Named = { readonly fileUuid: string } & ({ readonly id: string } | { readonly orthancId: string });

/** The same for an image and for the entry that it became. Other bytes under its id have another. */
export const keyOf = (named: Named): string =>
  `${'id' in named ? named.id : named.orthancId} ${named.fileUuid}`;

/** Those of everything in Orthanc that the entry stands for. */
export const keysOf = ({
  orthancId,
  fileUuid,
  also = [],
}: Pick<Entry, 'orthancId' | 'fileUuid' | 'also'>): string[] =>
  [fileUuid, ...also].map((uuid) => keyOf({ orthancId, fileUuid: uuid }));

/** Files that the record does not account for. */
export function missing<L extends { readonly id: string; readonly fileUuid: string }>(
  listed: readonly L[],
  known: readonly Pick<Entry, 'orthancId' | 'fileUuid' | 'also'>[],
): L[] {
  const accounted = new Set(known.flatMap(keysOf));
  return listed.filter((listing) => !accounted.has(keyOf(listing)));
}

/** Images of which neither file nor a copy under another name is there: an image that was sent again is not gone. */
export function stillGone<
  E extends Pick<Entry, 'sopInstanceUid'> & { readonly original: { readonly md5: string } },
>(gone: readonly E[], there: readonly E[]): E[] {
  const bytesOf = ({ sopInstanceUid, original }: E): string => `${sopInstanceUid} ${original.md5}`;
  const found = new Set(there.map(bytesOf));
  return [...new Map(gone.map((image) => [bytesOf(image), image])).values()].filter(
    (image) => !found.has(bytesOf(image)),
  );
}

/** One text for a set of texts, such as the ids of instances: to tell whether it is still the same. */
export const digestOf = (texts: readonly string[]): string =>
  createHash('sha256').update(texts.toSorted().join('\n')).digest('base64url');

/** A file of an instance: its own, or another version of it. */
interface OneFile {
  readonly id: string;
  readonly fileUuid: string;
  readonly version?: number;
}

/** digestOf() all that Orthanc has of a series. Without versions it is that of the instances' ids. */
export const digestOfFiles = (files: readonly OneFile[]): string =>
  digestOf(files.map((file) => (file.version === undefined ? file.id : keyOf(file))));

/** How many images they are: versions are no further ones. */
export const imagesIn = (files: readonly Pick<OneFile, 'version'>[]): number =>
  files.filter(({ version }) => version === undefined).length;

/** Other bytes under a UID that was there: they are kept, and are no further image of the series. */
export const differingIn = ({ instances }: SeriesRecord): number =>
  instances.filter(({ differsFrom }) => differsFrom !== undefined).length;

/** Destinations whose rule lets this series go there. */
export const targetsOf = (
  {
    destinations,
  }: { readonly destinations: readonly { readonly name: string; readonly when: Rule | undefined }[] },
  record: SeriesRecord,
): string[] =>
  destinations.filter(({ when }) => judge(when, traitsOfRecord(record)).wanted).map(({ name }) => name);

/** The attributes with who sent them, as the ledger keeps them: what people see of the rules is worked out from there. */
export const attributesOf = (record: SeriesRecord): Attributes => {
  const { aet } = traitsOfRecord(record);
  return aet === '' ? record.attributes : { ...record.attributes, [SENT_BY]: aet };
};

/** `tag` of the configuration. */
export interface TagRules extends Pick<PrivateTag, 'group' | 'creator' | 'element' | 'vr' | 'value'> {
  /** What carries it: stored+forwarded by default. */
  readonly apply?: 'stored+forwarded' | 'forwarded' | 'none';
  /** Elements of the block for the accession number and for the time of tagging; none where undefined. */
  readonly accession?: number | undefined;
  readonly time?: number | undefined;
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** What the images of a series get. Without an accession number that fits (SH), that element is left out. */
export function tagRecord(
  rules: TagRules,
  { accession = '', now }: { readonly accession?: string | undefined; readonly now: Temporal.Instant },
): TagRecord | undefined {
  if (rules.apply === 'none') return undefined;
  const { group, creator, element, value } = rules;
  const number = accession.trim();
  return {
    group: hex(group, 4),
    creator,
    element: hex(element, 2),
    value,
    ...(rules.apply === 'forwarded' ? { apply: 'forwarded' } : {}),
    ...(rules.accession === undefined || !isTagText('SH', number)
      ? {}
      : { accession: { element: hex(rules.accession, 2), value: number } }),
    ...defined({ time: given(rules.time, (time) => ({ element: hex(time, 2), value: utcDateTime(now) })) }),
  };
}

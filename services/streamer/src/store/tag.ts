/** The private tag of a series: settled when the series gets its folder, so that an image has the same bytes whenever it is tagged. */
import { isTagText, utcDateTime, type PrivateTag, type TagText } from '@scanflow/dicom';

export type TagApply = 'stored+forwarded' | 'forwarded' | 'none';

/** `tag` of the configuration. */
export interface TagRules extends Pick<PrivateTag, 'group' | 'creator' | 'element' | 'vr' | 'value'> {
  /** What carries it: stored+forwarded by default. */
  readonly apply?: TagApply;
  /** Elements of the block for the accession number and for the time of tagging; none where undefined. */
  readonly accession?: number | undefined;
  readonly time?: number | undefined;
}

/** `tag` in `series.json`, whose time is when the series was first pulled; absent where the series is not tagged. */
export interface TagRecord extends TagText {
  /** Absent: stored+forwarded. */
  readonly apply?: 'forwarded';
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
    ...(rules.time === undefined ? {} : { time: { element: hex(rules.time, 2), value: utcDateTime(now) } }),
  };
}

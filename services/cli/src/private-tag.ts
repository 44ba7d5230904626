/** The private tag of the configuration as the DICOM package takes it. */
import type { Config } from '@scanflow/config';
import { isTagText, utcDateTime, type PrivateTag, type TagElement } from '@scanflow/dicom';

const hexadecimal = (digits: string): number => Number.parseInt(digits, 16);

/** `of`: what the elements for accession number and time are to say, where the configuration asks for them. */
export function privateTag(
  { group, creator, element, value, accession, time }: Config['tag'],
  of: { readonly accession?: string | undefined; readonly now?: Temporal.Instant } = {},
): PrivateTag {
  const also: TagElement[] = [];
  const number = (of.accession ?? '').trim();
  if (accession !== undefined && isTagText('SH', number))
    also.push({ element: hexadecimal(accession), vr: 'SH', value: number });
  if (time !== undefined && of.now !== undefined)
    also.push({ element: hexadecimal(time), vr: 'DT', value: utcDateTime(of.now) });
  return { group: hexadecimal(group), creator, element: hexadecimal(element), vr: 'LO', value, also };
}

/** Names of BIDS 1.10: entities in their order, suffixes of each datatype, paths. */
import type { Target } from './types.ts';

/** What BIDS leaves of one of our labels: letters and digits. `sub-001` → `001`, `ses-mr_01` → `mr01`. Empty where nothing is left. */
export function bidsLabel(label: string, prefix: 'sub' | 'ses'): string {
  const bare = label.toLowerCase().startsWith(`${prefix}-`) ? label.slice(prefix.length + 1) : label;
  return bare.replace(/[^0-9A-Za-z]/g, '');
}

/** Relative to the dataset, without extension: `sub-001/ses-mr01/anat/sub-001_ses-mr01_T1w`. */
export function pathOf(subject: string, session: string | undefined, target: Target): string {
  return `sub-${subject}/${session ?? ''}${target.datatype}`;
}

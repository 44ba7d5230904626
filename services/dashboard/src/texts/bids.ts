/** What the pages say of BIDS, in English. */
import { plural } from './orders.ts';

export const bids = {
  title: 'BIDS',
  plan: 'Plan',
  columns: {
    series: 'Series',
    target: 'BIDS',
    why: 'Why',
    change: 'Change',
    before: 'In the dataset',
    after: 'By the plan',
  },
  /** What stands where a series gets no name. */
  decisions: {
    convert: 'converted',
    ignore: 'ignored',
    derivative: 'a derivative',
    repeat: 'repeated later',
    aborted: 'aborted',
    unknown: 'no rule takes it',
    unreadable: 'cannot be converted',
  },
  notYet: 'The session is converted once no more images are expected.',
  elsewhere: 'A part of the session that has other labels could not be converted. Facility IT sees why.',
  notConverted: 'The session is not converted yet.',
  waiting: 'The session waits for the bids service, or is being converted now.',
  notStored: 'Nothing of the session is stored in a project.',
  away: 'The plan is not known now: the streamer does not answer. The rest of the page stands.',
  noPlan: 'There is no plan now.',
  underWay: (done: number, of: number): string =>
    `The plan is being made: ${done} of ${plural(of, 'series is', 'series are')} read.`,
  again: 'Look again',
  errors: (count: number): string => plural(count, 'error', 'errors'),
  warnings: (count: number): string => plural(count, 'warning', 'warnings'),
  files: (count: number): string => plural(count, 'file', 'files'),
  failed: (count: number): string => plural(count, 'series failed', 'series failed'),
  conflicts: 'Conflicts',
  kept: 'Files of yours that were kept',
  also: 'Under other labels',
  removed: 'left the dataset, since its series have other labels',
  left: (count: number): string =>
    count === 1
      ? 'This rule would take 1 series that is left'
      : `These rules would take ${count} series that are left`,
  leftHelp: 'Complete each, and put it into the file of rules (bids.rules). Then convert again.',
  more: (count: number): string => `${count} more are not shown: scanflow bids plan lists all.`,
  moreIssues: (count: number): string => `${count} more are not shown: scanflow bids validate lists all.`,
  changes: { added: 'added', removed: 'removed', renamed: 'renamed', same: 'same' },
  counts: ({
    added,
    removed,
    renamed,
    same,
  }: Readonly<Record<'added' | 'removed' | 'renamed' | 'same', number>>): string =>
    `${added} added, ${removed} removed, ${renamed} renamed, ${same} the same`,
  images: (more: number): string =>
    more > 0 ? `${plural(more, 'image', 'images')} came` : `${plural(-more, 'image', 'images')} went`,
  asIs: 'The dataset has what the plan says.',
  wouldChange: (counts: string): string => `Converting again would change the dataset: ${counts}.`,
  redo: {
    open: 'Convert again',
    title: 'Convert this session to BIDS again?',
    text: 'The whole session is converted aside and validated. Then it replaces the old one. An invalid session does not replace a valid one. Files of people stay.',
    nothing: 'Names and numbers of images stay as they are. Metadata may change.',
    none: 'Without a plan nothing is ordered here. Look again once it is there.',
    changed: 'The plan changed since you looked. Look at it again before you confirm.',
    confirm: 'Convert again',
    diff: 'What would change',
  },
} as const;

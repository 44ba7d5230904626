/** What tests of the configuration share: the least that it can be, and the mistakes in what is added. */
import { formatIssue } from './issue.ts';
import { parseConfig } from './load.ts';

export const MINIMUM = [
  'facility: { name: Here, timezone: Europe/Amsterdam }',
  'data: /data',
  'scanners: { prisma: { aet: PRISMA, modality: MR } }',
  'orthanc: { url: http://orthanc:8042 }',
  'storage: { root: /project }',
  '',
].join('\n');

/** The mistakes of MINIMUM with further text, as `path: message`. */
export function mistakesOf(more: string): string[] {
  const result = parseConfig(`${MINIMUM}${more}`, 'f');
  return result.ok ? [] : result.issues.map((issue) => formatIssue(issue).replace(/^f:\d+:\d+: /, ''));
}

/** The bar of `scanflow send`: how much, how fast, how long still. */
import { bar, timeLeft } from '../progress.ts';
import type { Tally } from './tally.ts';

/** `████░░░░ 1200/3000 files  410/s  78.4 MB/s  4 s left`. `total`: files, where known. */
export function progressText(
  { sent, skipped, failures, bytes }: Pick<Tally, 'sent' | 'skipped' | 'failures' | 'bytes'>,
  total: number | undefined,
  seconds: number,
): string {
  const dealt = sent + skipped + failures.size;
  const rate = sent / Math.max(seconds, 0.001);
  const speed = `${rate.toFixed(0)}/s  ${(bytes / 1e6 / Math.max(seconds, 0.001)).toFixed(1)} MB/s`;
  const failed = failures.size === 0 ? '' : `  ${failures.size} failed`;
  if (total === undefined) return `${sent} images  ${speed}${failed}`;
  return `${bar(dealt, total)} files  ${speed}${timeLeft(dealt, total, seconds)}${failed}`;
}

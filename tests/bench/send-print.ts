/** What `bench:send` prints: a table of the senders that took turns, and each bound with what was measured. */
import type { Took } from './send-programs.ts';

/** All counted runs by sender, in the order of the rounds. */
export type Rounds = ReadonlyMap<string, readonly Took[]>;

export const OURS = 'Scanflow';
export const COPY = 'TCP copy';

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;

/** Our time by another's, round by round: both had the same load. One that ran once is compared with our median. */
function ratios(rounds: Rounds, name: string): number[] {
  const ours = (rounds.get(OURS) ?? []).map(({ seconds }) => seconds);
  const theirs = (rounds.get(name) ?? []).map(({ seconds }) => seconds);
  if (theirs.length === ours.length) return ours.map((seconds, round) => seconds / (theirs[round] ?? NaN));
  return theirs.map((seconds) => median(ours) / seconds);
}

const figure = (value: number, digits: number): string => (Number.isNaN(value) ? '' : value.toFixed(digits));

/** Medians, and the ratios' least and most. */
export function printTable(title: string, rounds: Rounds): void {
  console.log(`\n${title}`);
  console.log('             seconds  processor s   MB at most   Scanflow takes (least to most)');
  for (const [name, took] of rounds) {
    const cells = [
      figure(median(took.map(({ seconds }) => seconds)), 2).padStart(8),
      figure(median(took.map(({ cpu }) => cpu)), 2).padStart(13),
      figure(Math.max(...took.map(({ rss }) => rss)), 0).padStart(13),
    ];
    const all = ratios(rounds, name);
    const range = `(${figure(Math.min(...all), 2)} to ${figure(Math.max(...all), 2)})`;
    const ratio = name === OURS ? '' : `${figure(median(all), 2)} × ${range}`;
    console.log(`${name.padEnd(12)}${cells.join('')}   ${ratio}`);
  }
  const share = 100 / median(ratios(rounds, COPY));
  if (rounds.has(COPY)) console.log(`Scanflow reaches ${figure(share, 0)} % of a bare TCP copy.`);
}

let failed = 0;

/** Prints PASS or FAIL. */
export function bound(what: string, value: number, limit: number, digits = 2): void {
  const holds = value <= limit;
  if (!holds) failed += 1;
  console.log(`${holds ? 'PASS' : 'FAIL'}  ${what}: ${figure(value, digits)}, at most ${limit}`);
}

/** Our time by the other's, the median of the rounds. */
export function boundRatio(what: string, rounds: Rounds, name: string, limit: number): void {
  bound(`${what}, Scanflow's time by ${name}'s`, median(ratios(rounds, name)), limit);
}

export const most = (took: readonly Took[] = []): number => Math.max(...took.map(({ rss }) => rss));

/** How many bounds did not hold. */
export const missed = (): number => failed;

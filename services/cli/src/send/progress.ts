/** The bar of `scanflow send`: how much, how fast, how long still. */
import type { Io } from '../command.ts';
import type { Tally } from './tally.ts';

const BAR = 24;
const REDRAW_MS = 100;

export class Progress {
  readonly #io: Io;
  readonly #total: number | undefined;
  readonly #started = performance.now();
  #drawn = -Infinity;
  #shown = false;

  /** `total`: files, where known. */
  constructor(io: Io, total: number | undefined) {
    this.#io = io;
    this.#total = total;
  }

  update(tally: Tally): void {
    const now = performance.now();
    if (!this.#io.terminal || now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    this.#shown = true;
    const text = progressText(tally, this.#total, (now - this.#started) / 1000);
    this.#io.err.write(`\r\u001b[2K${text.slice(0, Math.max(20, this.#io.columns - 1))}`);
  }

  /** A line of its own; the bar is drawn again below it. */
  line(text: string): void {
    this.#io.err.write(`${this.#shown ? '\r\u001b[2K' : ''}${text}\n`);
    this.#shown = false;
  }

  end(): void {
    if (this.#shown) this.#io.err.write('\r\u001b[2K');
    this.#shown = false;
  }
}

/** `████░░░░ 1200/3000 images  410/s  78.4 MB/s  4 s left`. */
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
  const full = Math.min(BAR, Math.round((BAR * dealt) / Math.max(total, 1)));
  const left = dealt === 0 ? '' : `  ${duration((seconds * (total - dealt)) / dealt)} left`;
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${dealt}/${total} files  ${speed}${left}${failed}`;
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

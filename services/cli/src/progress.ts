/** The line that shows, on a terminal, how far a command is. */
import { stripVTControlCharacters } from 'node:util';
import type { Io } from './command.ts';
import { CLEAR_LINE, plain } from './terminal.ts';

const BAR = 24;
const REDRAW_MS = 100;

export class Progress {
  readonly #io: Io;
  readonly #started = performance.now();
  #drawn = -Infinity;
  #shown = false;

  constructor(io: Io) {
    this.#io = io;
  }

  /** `text` is given the seconds since the start, and asked only where it is drawn. */
  update(text: (seconds: number) => string): void {
    const now = performance.now();
    if (!this.#io.terminal || now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    this.#shown = true;
    const line = plain(text((now - this.#started) / 1000));
    this.#io.err.write(`${CLEAR_LINE}${line.slice(0, Math.max(20, this.#io.columns - 1))}`);
  }

  /** A line of its own; the bar is drawn again below it. */
  line(text: string): void {
    this.#io.err.write(`${this.#shown ? CLEAR_LINE : ''}${stripVTControlCharacters(text)}\n`);
    this.#shown = false;
  }

  end(): void {
    if (this.#shown) this.#io.err.write(CLEAR_LINE);
    this.#shown = false;
  }
}

/** `████░░░░ 1200/3000`. */
export function bar(done: number, total: number): string {
  const full = Math.min(BAR, Math.round((BAR * done) / Math.max(total, 1)));
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${done}/${total}`;
}

/** `  4 s left`, at the pace so far; nothing where there is none yet. */
export const timeLeft = (done: number, total: number, seconds: number): string =>
  done === 0 ? '' : `  ${inWords((seconds * (total - done)) / done)} left`;

function inWords(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

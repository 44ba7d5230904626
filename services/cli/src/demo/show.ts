/** What the demo shows while it works: a line per step, and a bar that is redrawn where a person watches. */
import { styleText } from 'node:util';
import type { Io } from '../command.ts';
import { bar, CLEAR_LINE } from '../terminal.ts';

export interface Show {
  heading(text: string): void;
  /** One thing that happened. */
  step(what: string, detail?: string): void;
  problem(text: string): void;
  /** Progress of something long; `done === total` ends it. */
  progress(what: string, done: number, total: number): void;
}

const REDRAW_MS = 80;

/** A Show that writes to io.err; the table of results goes to io.out. */
export function createShow(io: Io): Show {
  const started = performance.now();
  let barDrawn = false;
  let lastDraw = -Infinity;
  const colour = (style: Parameters<typeof styleText>[0], text: string): string =>
    io.terminal ? styleText(style, text, { validateStream: false }) : text;
  const clock = (): string =>
    colour('dim', `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s`);
  const line = (text: string): void => {
    io.err.write(`${barDrawn ? CLEAR_LINE : ''}${text}\n`);
    barDrawn = false;
  };
  return {
    heading: (text) => line(`\n${colour('bold', text)}`),
    step: (what, detail = '') =>
      line(`${clock()}  ${colour('green', '✓')} ${what}${detail === '' ? '' : `  ${colour('dim', detail)}`}`),
    problem: (text) => line(`${clock()}  ${colour('red', '✗')} ${text}`),
    progress(what, done, total) {
      if (!io.terminal || (done < total && performance.now() - lastDraw < REDRAW_MS)) return;
      lastDraw = performance.now();
      const text = `          ${bar(done, total)} ${what}`;
      io.err.write(`${CLEAR_LINE}${text.slice(0, Math.max(20, io.columns - 1))}`);
      barDrawn = true;
    },
  };
}

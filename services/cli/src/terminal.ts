/** What goes to a terminal: tables, progress, and no text of an image, a calendar or a peer that could control it. */
import { createInterface } from 'node:readline';
import { stripVTControlCharacters, styleText } from 'node:util';
import { visible } from '@scanflow/runtime/visible';

export interface Output {
  readonly isTTY: boolean;
  write(text: string): boolean;
}

/** Where progress is drawn. */
export interface Screen {
  readonly err: Output;
  /** Whether a person watches: colours and progress only then. */
  readonly terminal: boolean;
  readonly columns: number;
}

const ESCAPE = '\u001b';
/** Clears the line of the cursor. */
export const CLEAR_LINE = `${ESCAPE}[2K${ESCAPE}[G`;
/** What follows ESCAPE in our own sequences: the one above, and colours. */
const OURS = /^\[(?:2K|G|\d{1,2}(?:;\d)?m)/;

/** An output that passes only our own sequences to a terminal, and none to a file. */
export function outputTo(stream: {
  readonly write: (text: string) => boolean;
  readonly isTTY?: boolean | undefined;
}): Output {
  const isTTY = stream.isTTY === true;
  const shown = (part: string, at: number): string => {
    const ours = at > 0 && isTTY ? OURS.exec(part)?.[0] : undefined;
    if (ours !== undefined) return `${ESCAPE}${ours}${lines(part.slice(ours.length))}`;
    return lines(at > 0 ? `${ESCAPE}${part}` : part);
  };
  return { isTTY, write: (text) => stream.write(text.split(ESCAPE).map(shown).join('')) };
}

/** Makes control characters visible. Line breaks stay. */
const lines = (text: string): string => text.split('\n').map(visible).join('\n');

/** A text of others as part of one line, without control characters. */
export const plain = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();

/** The line that a person types after a question; empty where nobody does. */
export async function answerTo(question: string, { err }: Pick<Screen, 'err'>): Promise<string> {
  err.write(question);
  const answers = createInterface({ input: process.stdin });
  try {
    for await (const answer of answers) return answer.trim();
    err.write('\n');
    return '';
  } finally {
    answers.close();
  }
}

type Lines = readonly (readonly string[])[];

/** Cells as columns. `numbers`: columns to align on the right. `rule`: a line below the head. */
export function textTable(cells: Lines, numbers: readonly number[] = [], rule = false): string {
  const lines = cells.map((line) => line.map(plain));
  const [head = [], ...body] = lines;
  const widths = head.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const below = rule ? [widths.map((width) => '─'.repeat(width))] : [];
  return [head, ...below, ...body]
    .map((line) =>
      line
        .map((text, at) => text[numbers.includes(at) ? 'padStart' : 'padEnd'](widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Words in lines of at most `width` characters, but at least 40. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > Math.max(width, 40)) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const BAR = 24;
const REDRAW_MS = 100;

/** The line on a terminal that shows how far a command is. */
export class Progress {
  readonly #io: Screen;
  readonly #started = performance.now();
  #drawn = -Infinity;
  #shown = false;

  constructor(io: Screen) {
    this.#io = io;
  }

  /** Draws the line, at most every 100 ms unless it is the `last`. `text` gets the seconds since the start. */
  update(text: (seconds: number) => string, last = false): void {
    const now = performance.now();
    if (!this.#io.terminal || (!last && now - this.#drawn < REDRAW_MS)) return;
    this.#drawn = now;
    this.#shown = true;
    const line = plain(text((now - this.#started) / 1000));
    this.#io.err.write(`${CLEAR_LINE}${line.slice(0, Math.max(20, this.#io.columns - 1))}`);
  }

  /** Writes a line. The progress is drawn again below it. */
  line(text: string): void {
    this.coloured(stripVTControlCharacters(text));
  }

  /** The same with colours of our own. */
  coloured(text: string): void {
    this.#io.err.write(`${this.#shown ? CLEAR_LINE : ''}${text}\n`);
    this.#shown = false;
  }

  /** Clears the line. */
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

/** `  4 s left`, at the pace so far; empty at the start. */
export const timeLeft = (done: number, total: number, seconds: number): string =>
  done === 0 ? '' : `  ${inWords((seconds * (total - done)) / done)} left`;

function inWords(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The steps of a longer work on a terminal: a line for each, and a bar. */
export interface Show {
  heading(text: string): void;
  /** One thing that happened. */
  step(what: string, detail?: string): void;
  problem(text: string): void;
  /** Progress of something long; `done === total` ends it. */
  progress(what: string, done: number, total: number): void;
}

/** A Show that writes to io.err; the table of results goes to io.out. */
export function createShow(io: Screen): Show {
  const started = performance.now();
  const progress = new Progress(io);
  const colour = (style: Parameters<typeof styleText>[0], text: string): string =>
    io.terminal ? styleText(style, text, { validateStream: false }) : text;
  const clock = (): string =>
    colour('dim', `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s`);
  return {
    heading: (text) => progress.coloured(`\n${colour('bold', text)}`),
    step: (what, detail = '') =>
      progress.coloured(
        `${clock()}  ${colour('green', '✓')} ${what}${detail === '' ? '' : `  ${colour('dim', detail)}`}`,
      ),
    problem: (text) => progress.coloured(`${clock()}  ${colour('red', '✗')} ${text}`),
    progress: (what, done, total) => progress.update(() => `${bar(done, total)} ${what}`, done >= total),
  };
}

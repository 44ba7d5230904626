/** Splits a feed into blocks of VEVENT lines. A feed that is no complete calendar is a feed error. */
import { Outline, type Span } from './outline.ts';
import { note, type FeedNote } from './event.ts';
import { parseProperty } from './property.ts';
import { contentLines, stretchesOf, type ContentLines } from './text.ts';

/** Why a feed cannot be used at all. `message` says what to do. */
export interface FeedError {
  readonly code:
    | 'FEED_EMPTY'
    | 'FEED_HTML'
    | 'FEED_NOT_ICALENDAR'
    | 'FEED_TRUNCATED'
    | 'FEED_UNBALANCED'
    | 'FEED_TOO_MUCH'
    | 'FEED_TIMEOUT'
    | 'FEED_UNEXPECTED';
  readonly message: string;
}

/** What a VCALENDAR says about all its events. */
export interface FeedContext {
  /** X-WR-TIMEZONE, as written. */
  zone?: string;
  /** METHOD, in capitals (RFC 5545 3.7.2). */
  method?: string;
  /** The declared character set of the feed. */
  readonly charset: string | undefined;
  /** The lines inside each VTIMEZONE, as they came. */
  readonly timezones: Buffer[];
}

/** One VEVENT, not yet parsed. */
export interface EventBlock {
  /** Its place in the bytes without BEGIN and END, which also gives its order. */
  readonly from: number;
  readonly to: number;
  readonly context: FeedContext;
}

/** Events that their text alone sets aside. There may be very many. */
export class SetAside {
  readonly #uids: string[] = [];
  readonly #places: number[] = [];
  readonly #contexts: FeedContext[] = [];

  add(uid: string, { from, to, context }: EventBlock): void {
    this.#uids.push(uid);
    this.#places.push(from, to);
    this.#contexts.push(context);
  }

  get uids(): readonly string[] {
    return this.#uids;
  }

  /** The block of an event, by its place in `uids`. */
  block(index: number): EventBlock | undefined {
    const [from, to, context] = [this.#places[2 * index], this.#places[2 * index + 1], this.#contexts[index]];
    if (from === undefined || to === undefined || context === undefined) return undefined;
    return { from, to, context };
  }

  isCancelled(index: number): boolean {
    return this.#contexts[index]?.method === 'CANCEL';
  }
}

export type SplitFeed =
  | {
      readonly ok: true;
      readonly blocks: readonly EventBlock[];
      readonly aside: SetAside;
      readonly notes: readonly FeedNote[];
    }
  | { readonly ok: false; readonly error: FeedError };

const MARK = /^(BEGIN|END):\s*([A-Z0-9-]+)\s*$/i;
/** A line before or after a calendar: a notice, a comment, the end mark of a DOS file. */
const BEGINS_BEHIND = /BEGIN:VCALENDAR\s*$/i;
const ENDS_BEFORE = /^END:VCALENDAR\s*[^\sA-Z]/i;
/** A web page, which may show a calendar as an example. */
const PAGE = /^<(?:!doctype\s+html|html|head|body)\b/i;
/** The number of characters that the search covers. */
const HEAD = 1024;

/**
 * Splits a feed into VEVENT blocks, over all VCALENDARs in it. Lines outside a VCALENDAR are noted and ignored. Events
 * whose days are known from their text, and are `aside`, are set aside.
 */
export function splitFeed(
  bytes: Buffer,
  charset: string | undefined,
  aside: (span: Span) => boolean,
): SplitFeed {
  const first = bytes.findIndex((byte) => byte > 0x20);
  if (first < 0) return failure('FEED_EMPTY', 'The calendar came back empty.');
  const head = bytes.toString('latin1', first, first + HEAD).replaceAll(/<!--[^]*?-->\s*/g, '');
  return PAGE.test(head) ? webPage() : new Splitter(bytes, charset, aside).run(head.startsWith('<'));
}

/** Whether bytes are a complete calendar, for programs that join calendars. */
export const isWholeCalendar = (plain: Buffer): boolean => splitFeed(plain, undefined, () => false).ok;

/** The unfolded, decoded lines of a block, without the components inside it (alarms). */
export function linesOf(bytes: Buffer, { from, to, context }: EventBlock): ContentLines {
  const { lines, former, isUtf8 } = contentLines(bytes.subarray(from, to), context.charset);
  return { lines: own(lines), former: former && own(former), isUtf8 };
}

function own(lines: readonly string[]): string[] {
  let depth = 0;
  return lines.filter((line) => {
    const [, mark] = MARK.exec(line) ?? [];
    if (mark === undefined) return depth === 0;
    depth += mark.toUpperCase() === 'BEGIN' ? 1 : -1;
    return false;
  });
}

const webPage = (): SplitFeed =>
  failure(
    'FEED_HTML',
    'A web page came instead of a calendar: check that the address is the iCalendar (.ics) one and needs no login page.',
  );

const failure = (code: FeedError['code'], message: string): SplitFeed => ({
  ok: false,
  error: { code, message },
});

class Splitter {
  readonly #bytes: Buffer;
  readonly #isAside: (span: Span) => boolean;
  readonly #blocks: EventBlock[] = [];
  readonly #aside = new SetAside();
  readonly #stack: string[] = [];
  /** The part of the bytes in work, and its start. */
  #text = '';
  #offset = 0;
  #context: FeedContext;
  readonly #charset: string | undefined;
  /** Whether text stands outside the calendars. */
  #around = false;
  /** The start of the event or zone in work. */
  #from = 0;
  #outline = new Outline();
  #calendars = 0;

  constructor(bytes: Buffer, charset: string | undefined, isAside: (span: Span) => boolean) {
    this.#bytes = bytes;
    this.#charset = charset;
    this.#context = { timezones: [], charset };
    this.#isAside = isAside;
  }

  /** `isMarkup`: a feed that begins as HTML and holds no calendar is reported as a web page. */
  run(isMarkup: boolean): SplitFeed {
    for (const { text, offset } of stretchesOf(this.#bytes)) {
      [this.#text, this.#offset] = [text, offset];
      const wrong = this.#stretch(text);
      if (wrong !== undefined) return unbalanced(wrong);
    }
    if (this.#calendars === 0 && isMarkup) return webPage();
    if (this.#calendars === 0)
      return failure('FEED_NOT_ICALENDAR', 'What came is not a calendar: it has no BEGIN:VCALENDAR line.');
    if (this.#stack.length > 0)
      return failure(
        'FEED_TRUNCATED',
        `The calendar is cut off: END:${String(this.#stack.at(-1))} is missing.`,
      );
    const notes = this.#around ? [note('FEED_TEXT_AROUND')] : [];
    return { ok: true, blocks: this.#blocks, aside: this.#aside, notes };
  }

  /** The line that closes a component that is not open, if any. */
  #stretch(text: string): string | undefined {
    for (let at = 0, end: number; at < text.length; at = end + 1) {
      end = text.indexOf('\n', at);
      if (end < 0) end = text.length;
      const mark = this.#markAt(at, end);
      if (mark === null) this.#content(at, end);
      else if (mark[1]?.toUpperCase() === 'BEGIN') this.#begin(String(mark[2]).toUpperCase(), end);
      else if (!this.#end(String(mark[2]).toUpperCase(), at)) return text.slice(at, end);
    }
    return undefined;
  }

  #markAt(at: number, end: number): RegExpExecArray | null {
    const code = this.#text.charCodeAt(at) & 0xdf;
    return (code === 0x42 || code === 0x45) && end - at < 80 ? MARK.exec(this.#text.slice(at, end)) : null;
  }

  #begin(component: string, end: number): void {
    if (this.#stack.length === 0 && component !== 'VCALENDAR') {
      this.#around = true;
      return;
    }
    this.#stack.push(component);
    if (component === 'VCALENDAR') {
      this.#context = { timezones: [], charset: this.#charset };
      this.#calendars += 1;
    }
    if (component === 'VEVENT') this.#outline = new Outline();
    if (component === 'VEVENT' || component === 'VTIMEZONE') this.#from = this.#offset + end + 1;
  }

  /** False if the line closes another component than the open one, or a calendar or event inside another. */
  #end(component: string, at: number): boolean {
    if (this.#stack.length === 0) return component !== 'VCALENDAR' && component !== 'VEVENT';
    if (this.#stack.pop() !== component) return false;
    if (component === 'VCALENDAR') return this.#stack.length === 0;
    const block = { from: this.#from, to: this.#offset + at, context: this.#context };
    if (component === 'VTIMEZONE') this.#context.timezones.push(this.#bytes.subarray(block.from, block.to));
    if (component !== 'VEVENT') return true;
    const span = this.#outline.span();
    if (span !== undefined && this.#isAside(span)) this.#aside.add(span.uid(), block);
    else this.#blocks.push(block);
    return this.#stack.length === 1;
  }

  #content(at: number, end: number): void {
    const inside = this.#stack.at(-1);
    if (inside === 'VEVENT') this.#outline.take(this.#text, at, end);
    else if (inside === 'VCALENDAR') this.#inCalendar(this.#text.slice(at, end), at);
    else if (inside === undefined) this.#outside(this.#text.slice(at, end), end);
  }

  #inCalendar(line: string, at: number): void {
    if (!ENDS_BEFORE.test(line)) this.#setting(line);
    else if (this.#end('VCALENDAR', at)) this.#around = true;
  }

  #outside(line: string, end: number): void {
    if (/^[\0-\x20]*$/.test(line)) return;
    this.#around = true;
    if (BEGINS_BEHIND.test(line)) this.#begin('VCALENDAR', end);
  }

  #setting(line: string): void {
    const property = parseProperty(line);
    if (property?.name === 'X-WR-TIMEZONE') this.#context.zone = property.value.trim();
    if (property?.name === 'METHOD') this.#context.method = property.value.trim().toUpperCase();
  }
}

const unbalanced = (line: string): SplitFeed =>
  failure('FEED_UNBALANCED', `The calendar is damaged: ${line.trim()} does not close what was opened last.`);

/** A feed as blocks of VEVENT lines; what is no whole calendar is a feed error. */
import { Outline, type Span } from './outline.ts';
import { parseProperty } from './property.ts';
import { contentLines } from './text.ts';

/** Why nothing of a feed can be used. `message` tells a person what to do. */
export interface FeedError {
  readonly code:
    | 'FEED_EMPTY'
    | 'FEED_HTML'
    | 'FEED_NOT_ICALENDAR'
    | 'FEED_TRUNCATED'
    | 'FEED_UNBALANCED'
    | 'FEED_TOO_MUCH'
    | 'FEED_TIMEOUT';
  readonly message: string;
}

/** What a VCALENDAR says about all of its events. */
export interface FeedContext {
  /** X-WR-TIMEZONE, as written. */
  zone?: string;
  /** METHOD, in capitals (RFC 5545 3.7.2). */
  method?: string;
  /** The inside of each VTIMEZONE, as it came. */
  readonly timezones: string[];
}

/** One VEVENT, not yet parsed; components inside it (alarms) are no part of it. */
export interface EventBlock {
  /** Where its text stands: pairs of begin and end. */
  readonly ranges: readonly number[];
  readonly context: FeedContext;
  /** Its days, where its bare text tells them. */
  readonly span: Span | undefined;
}

export type SplitFeed =
  | { readonly ok: true; readonly blocks: readonly EventBlock[] }
  | { readonly ok: false; readonly error: FeedError };

const MARK = /^(BEGIN|END):\s*([A-Z0-9-]+)\s*$/i;

/** Splits a feed's text into VEVENT blocks, over all VCALENDARs in it. Lines outside a VCALENDAR are ignored. */
export function splitFeed(text: string): SplitFeed {
  const first = text.search(/\S/);
  if (first < 0) return failure('FEED_EMPTY', 'The calendar came back empty.');
  if (text[first] === '<')
    return failure(
      'FEED_HTML',
      'A web page came instead of a calendar: check that the address is the iCalendar (.ics) one and needs no login page.',
    );
  return new Splitter(text).run();
}

/** The unfolded, decoded lines of a block. */
export function linesOf(text: string, { ranges }: EventBlock): string[] {
  let raw = '';
  for (let index = 0; index < ranges.length; index += 2) raw += text.slice(ranges[index], ranges[index + 1]);
  return contentLines(raw);
}

const failure = (code: FeedError['code'], message: string): SplitFeed => ({
  ok: false,
  error: { code, message },
});

class Splitter {
  readonly #text: string;
  readonly #blocks: EventBlock[] = [];
  readonly #stack: string[] = [];
  #context: FeedContext = { timezones: [] };
  #ranges: number[] = [];
  #outline = new Outline();
  #calendars = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): SplitFeed {
    const text = this.#text;
    for (let at = 0, end: number; at < text.length; at = end + 1) {
      end = text.indexOf('\n', at);
      if (end < 0) end = text.length;
      const mark = this.#markAt(at, end);
      if (mark === null) this.#content(at, end);
      else if (mark[1]?.toUpperCase() === 'BEGIN') this.#begin(String(mark[2]).toUpperCase(), at, end);
      else if (!this.#end(String(mark[2]).toUpperCase(), at, end)) return unbalanced(text.slice(at, end));
    }
    if (this.#calendars === 0)
      return failure('FEED_NOT_ICALENDAR', 'What came is not a calendar: it has no BEGIN:VCALENDAR line.');
    if (this.#stack.length > 0)
      return failure(
        'FEED_TRUNCATED',
        `The calendar is cut off: END:${String(this.#stack.at(-1))} is missing.`,
      );
    return { ok: true, blocks: this.#blocks };
  }

  #markAt(at: number, end: number): RegExpExecArray | null {
    const code = this.#text.charCodeAt(at) & 0xdf;
    return (code === 0x42 || code === 0x45) && end - at < 80 ? MARK.exec(this.#text.slice(at, end)) : null;
  }

  #begin(component: string, at: number, end: number): void {
    if (this.#stack.length === 0 && component !== 'VCALENDAR') return;
    if (this.#stack.at(-1) === 'VEVENT') this.#ranges.push(at);
    this.#stack.push(component);
    if (component === 'VCALENDAR') {
      this.#context = { timezones: [] };
      this.#calendars += 1;
    }
    if (component === 'VEVENT') this.#outline = new Outline();
    if (component === 'VEVENT' || component === 'VTIMEZONE') this.#ranges = [end + 1];
  }

  /** False when the line does not close what is open, or closes a calendar or event that stands inside another. */
  #end(component: string, at: number, end: number): boolean {
    if (this.#stack.length === 0) return component !== 'VCALENDAR' && component !== 'VEVENT';
    if (this.#stack.pop() !== component) return false;
    if (component === 'VCALENDAR') return this.#stack.length === 0;
    if (this.#stack.at(-1) === 'VEVENT') this.#ranges.push(end + 1);
    if (component === 'VTIMEZONE') this.#context.timezones.push(this.#text.slice(this.#ranges[0], at));
    if (component !== 'VEVENT') return true;
    this.#ranges.push(at);
    this.#blocks.push({ ranges: this.#ranges, context: this.#context, span: this.#outline.span() });
    return this.#stack.length === 1;
  }

  #content(at: number, end: number): void {
    const inside = this.#stack.at(-1);
    if (inside === 'VEVENT') this.#outline.take(this.#text, at, end);
    else if (inside === 'VCALENDAR') this.#setting(this.#text.slice(at, end));
  }

  #setting(line: string): void {
    const property = parseProperty(line);
    if (property?.name === 'X-WR-TIMEZONE') this.#context.zone = property.value.trim();
    if (property?.name === 'METHOD') this.#context.method = property.value.trim().toUpperCase();
  }
}

const unbalanced = (line: string): SplitFeed =>
  failure('FEED_UNBALANCED', `The calendar is damaged: ${line.trim()} does not close what was opened last.`);

/** A feed as blocks of VEVENT lines; what is no whole calendar is a feed error. */
import { parseProperty } from './property.ts';

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
}

/** The lines of one VEVENT, without those of components inside it (alarms). */
export interface EventBlock {
  readonly lines: readonly string[];
  readonly context: FeedContext;
}

export type SplitFeed =
  | { readonly ok: true; readonly blocks: readonly EventBlock[] }
  | { readonly ok: false; readonly error: FeedError };

const MARK = /^(BEGIN|END):\s*([A-Z0-9-]+)\s*$/i;

/** Splits a feed's lines into VEVENT blocks, over all VCALENDARs in it. Lines outside a VCALENDAR are ignored. */
export function splitFeed(lines: readonly string[]): SplitFeed {
  const first = lines.find((line) => line.trim() !== '');
  if (first === undefined) return failure('FEED_EMPTY', 'The calendar came back empty.');
  if (first.trimStart().startsWith('<'))
    return failure(
      'FEED_HTML',
      'A web page came instead of a calendar: check that the address is the iCalendar (.ics) one and needs no login page.',
    );
  return new Splitter().run(lines);
}

const failure = (code: FeedError['code'], message: string): SplitFeed => ({
  ok: false,
  error: { code, message },
});

class Splitter {
  readonly #blocks: EventBlock[] = [];
  readonly #stack: string[] = [];
  #context: FeedContext = {};
  #event: string[] = [];
  #calendars = 0;

  run(lines: readonly string[]): SplitFeed {
    for (const line of lines) {
      const mark = line.length < 80 && /^[BE]/i.test(line) ? MARK.exec(line) : null;
      if (mark === null) this.#content(line);
      else if (mark[1]?.toUpperCase() === 'BEGIN') this.#begin(String(mark[2]).toUpperCase());
      else if (!this.#end(String(mark[2]).toUpperCase())) return unbalanced(line);
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

  #begin(component: string): void {
    if (this.#stack.length === 0 && component !== 'VCALENDAR') return;
    this.#stack.push(component);
    if (component === 'VCALENDAR') {
      this.#context = {};
      this.#calendars += 1;
    }
    if (component === 'VEVENT') this.#event = [];
  }

  /** False when the line does not close what is open, or closes a calendar or event that stands inside another. */
  #end(component: string): boolean {
    if (this.#stack.length === 0) return component !== 'VCALENDAR' && component !== 'VEVENT';
    if (this.#stack.pop() !== component) return false;
    if (component === 'VCALENDAR') return this.#stack.length === 0;
    if (component !== 'VEVENT') return true;
    this.#blocks.push({ lines: this.#event, context: this.#context });
    return this.#stack.length === 1;
  }

  #content(line: string): void {
    const inside = this.#stack.at(-1);
    if (inside === 'VEVENT') this.#event.push(line);
    else if (inside === 'VCALENDAR') this.#setting(line);
  }

  #setting(line: string): void {
    const property = parseProperty(line);
    if (property?.name === 'X-WR-TIMEZONE') this.#context.zone = property.value.trim();
    if (property?.name === 'METHOD') this.#context.method = property.value.trim().toUpperCase();
  }
}

const unbalanced = (line: string): SplitFeed =>
  failure('FEED_UNBALANCED', `The calendar is damaged: ${line.trim()} does not close what was opened last.`);

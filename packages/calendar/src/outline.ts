/** Reads the days of a VEVENT from its bare text, to drop the many events far from the window without parsing them. */
import { dayOf, weekday, weekdayOf } from './plain-rules.ts';

/** Outer bounds of the days that an event and its repetitions touch, as numbers, without time zones. */
export interface Span {
  readonly uid: () => string;
  readonly first: number;
  readonly last: number;
}

const PLAIN_TIME =
  /^DT(START|END)(?:;[^:"\r]*)?:(\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:T\d{6}Z?)?\r*$/;
const PLAIN_RULE =
  /^RRULE:FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)((?:;(?:INTERVAL=[1-9]\d{0,2}|COUNT=[1-9]\d{0,5}|UNTIL=\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:T[01]\d[0-5]\d[0-5]\dZ?)?|BYDAY=[A-Z,]+|WKST=(?:MO|TU|WE|TH|FR|SA|SU)))*)\r*$/;
const PLAIN_UID = /^UID:([\x21-\x7e]+(?: +[\x21-\x7e]+)*)[ \r]*$/;
/** Properties that require a full parse of the event, whatever its days. */
const NEEDS_READING = /^(?:RDATE|EXDATE|EXRULE|RECURRENCE-ID|DURATION|STATUS[;:])/i;
const HARMLESS = /^STATUS:(?:CONFIRMED|TENTATIVE)\r*$/;
/** A fold in a line this short could hide the name. */
const SHORTEST_FOLDED = 24;

/** Collects the outline of one event from its folded, undecoded lines. */
export class Outline {
  #uid: string | undefined;
  #start: string | undefined;
  #end: string | undefined;
  #rule: string | undefined;
  #unclear = false;
  /** Whether a continuation of the previous line would change the outline. */
  #whole = false;

  /** Takes the line of `text` from `at` to `end`. */
  take(text: string, at: number, end: number): void {
    const code = text.charCodeAt(at);
    if (code === 0x20 || code === 0x09) this.#unclear ||= this.#whole;
    else if (this.#isTold(text, at)) this.#read(text.slice(at, end));
    else this.#whole = end - at < SHORTEST_FOLDED;
  }

  /** Undefined if the text alone cannot decide. */
  span(): Span | undefined {
    const [uid, start, end = start] = [this.#uid, this.#start, this.#end];
    if (this.#unclear || uid === undefined || start === undefined || end === undefined) return undefined;
    const [first, last] = [dayOf(start), dayOf(end)];
    if (last < first) return undefined;
    const more = this.#rule === undefined ? 0 : daysOfRule(this.#rule, first, Number(start.slice(6)));
    if (more === undefined) return undefined;
    // a copy, because a substring keeps the whole string in memory
    return { uid: () => Buffer.from(uid, 'latin1').toString('latin1'), first, last: last + more };
  }

  /** Whether the line can matter, by its first two characters: UID, DT…, DU…, R…, EX…, ST…, X-…. */
  #isTold(text: string, at: number): boolean {
    const [first, second] = [text.charCodeAt(at) & 0xdf, text.charCodeAt(at + 1) & 0xdf];
    // every event has DTSTAMP, and it does not matter
    if (first === 0x44) return second === 0x55 || (second === 0x54 && !text.startsWith('DTSTAMP', at));
    if (first === 0x53) return second === 0x54;
    if (first === 0x55) return second === 0x49;
    return first === 0x52 || first === 0x45 || first === 0x58;
  }

  #read(line: string): void {
    this.#whole = true;
    if (NEEDS_READING.test(line)) this.#unclear ||= !HARMLESS.test(line);
    else if (/^UID/i.test(line)) this.#uid = this.#once(this.#uid, PLAIN_UID.exec(line)?.[1]);
    else if (/^RRULE/i.test(line)) this.#rule = this.#once(this.#rule, PLAIN_RULE.exec(line)?.[0]);
    else if (/^DT(START|END)/i.test(line)) this.#time(line);
    else this.#whole = line.length < SHORTEST_FOLDED;
  }

  #time(line: string): void {
    const [, name, date] = PLAIN_TIME.exec(line) ?? [];
    if (name === 'START') this.#start = this.#once(this.#start, date);
    else this.#end = this.#once(this.#end, date);
  }

  /** A repeated property, or one in an unexpected form, requires a full parse. */
  #once(before: string | undefined, value: string | undefined): string | undefined {
    this.#unclear ||= before !== undefined || value === undefined;
    return value;
  }
}

/**
 * The number of days between the first and the last start of a rule of the form above. Undefined for a rule that needs
 * a full parse, infinite for a rule without an end.
 */
function daysOfRule(rule: string, first: number, dayOfMonth: number): number | undefined {
  const part = (name: string): string | undefined => new RegExp(`;${name}=([^;\r]+)`).exec(rule)?.[1];
  const days = part('BYDAY')?.split(',').map(weekday);
  // if the rule does not give the start, the start is not its first instance
  if (days?.includes(weekdayOf(first)) === false || days?.includes(undefined) === true) return undefined;
  const [until, count] = [part('UNTIL'), part('COUNT')];
  if (until !== undefined) {
    const left = dayOf(until) - first;
    return count !== undefined || left < 1 ? undefined : left;
  }
  if (count === undefined) return Number.POSITIVE_INFINITY;
  // a day that some months or years lack takes longer to reach COUNT
  const isRegular = days === undefined && dayOfMonth <= 28;
  return Number(part('INTERVAL') ?? 1) * Number(count) * longest(rule, isRegular);
}

/** The most days in one period of a rule. A week counts whole, whichever days the rule names. */
function longest(rule: string, isRegular: boolean): number {
  const [, frequency] = /FREQ=([A-Z]+)/.exec(rule) ?? [];
  if (frequency === 'WEEKLY') return 7;
  if (!isRegular) return Number.POSITIVE_INFINITY;
  return frequency === 'DAILY' ? 1 : frequency === 'MONTHLY' ? 31 : 366;
}

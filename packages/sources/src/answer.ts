/** A source of calendars, and what it answers. */
import type { Failure } from '@scanflow/failure';
import { defined } from '@scanflow/failure/defined';

/** The validators of a body, with which the next request asks whether it changed (RFC 9110 8.8). */
export interface Validators {
  /** An entity tag, or another mark of one version of the calendar. */
  readonly etag?: string;
  readonly lastModified?: string;
}

export type Fetched =
  | {
      readonly kind: 'body';
      readonly bytes: Uint8Array;
      /** Character set that the server declares (RFC 9110 8.3.2). */
      readonly charset?: string | undefined;
      readonly validators: Validators;
      readonly clockSkewMs?: number | undefined;
    }
  | { readonly kind: 'notModified'; readonly clockSkewMs?: number | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retryAfterMs?: number };

export interface Source {
  /**
   * Fetches once. It never throws for an answer. No message holds a password, a path or a query, which may be
   * secrets. `clockSkewMs` is the server's clock minus ours, if the answer has a time.
   */
  fetch(validators: Validators, signal: AbortSignal): Promise<Fetched>;
  /** Writes answers into events as they were fetched last. Absent where nothing can be written. It never throws for an answer. */
  readonly answer?: (answering: Answering, signal: AbortSignal) => Promise<Answered>;
}

export interface Answering {
  /** By UID; undefined: the event shall have none. Other events stay as they are. */
  readonly answers: ReadonlyMap<string, Answer | undefined>;
  /** Whether one more try to write may go to the event. It is asked once before each, so it may count. */
  readonly mayWrite: (uid: string) => boolean;
}

export interface Answered {
  readonly written: number;
  /** Events that changed meanwhile; the next pass looks at them again. */
  readonly changed: number;
  /** Status with which the server refused to take an event, by UID. Writing ends at the first. */
  readonly refused: ReadonlyMap<string, number>;
  /** Why the others were not reached. */
  readonly failure?: Failure;
  readonly retryAfterMs?: number;
}

export interface SourceLimits {
  /** Time limit of one fetch with its body and redirects, in milliseconds. */
  readonly timeoutMs: number;
  /** Limit of the decompressed body in bytes. */
  readonly maxSize: number;
}

export class Stop extends Error {
  readonly fetched: Extract<Fetched, { kind: 'failed' }>;

  constructor(kind: Failure['kind'], code: string, message: string, retryAfterMs?: number) {
    super(message);
    this.fetched = {
      kind: 'failed',
      failure: { kind, code, message },
      ...defined({ retryAfterMs }),
    };
  }
}

// Scanflow's answer in an event: one COMMENT, or one category. It is edited as text, so that all other bytes stay. Pure.

/** What an event shall say. A comment begins with `MARK`; a category is one of `CATEGORIES`. */
export interface Answer {
  readonly property: 'comment' | 'categories';
  readonly text: string;
}

/** Comments that begin with it are Scanflow's own. */
export const MARK = 'Scanflow: ';
/** Categories of these names are Scanflow's own. */
export const CATEGORIES = { rejected: 'Scanflow rejected', taken: 'Scanflow taken' } as const;

const OWN: ReadonlySet<string> = new Set(Object.values(CATEGORIES));
/** The longest comment, in characters. */
const LONGEST = 400;
/** RFC 5545 3.1: octets of a line without its end. */
const LINE_OCTETS = 75;

/** A content line as it stands, folds and line end included. One character per byte. */
interface Line {
  readonly raw: string;
  /** Unfolded, without its end. */
  readonly text: string;
}

/**
 * The object with this answer and no other one of ours; undefined: with none. A series gets it in the event that repeats, and its
 * exceptions have none: docs/decisions/0027-answers.md. `same`: it is so already. `unsafe`: Scanflow leaves it alone: an event
 * with guests (a server may mail them about each change), or no plain object.
 */
export function withAnswer(
  object: Uint8Array,
  answer: Answer | undefined,
): Buffer<ArrayBuffer> | 'same' | 'unsafe' {
  const lines = linesOf(Buffer.from(object).toString('latin1'));
  const events = eventsIn(lines);
  if (events === undefined) return 'unsafe';
  const made = events.map((event) =>
    edit(lines.slice(event.from, event.to), event.isException ? undefined : answer),
  );
  if (made.every((one) => one === 'same')) return 'same';
  let [text, at] = ['', 0];
  for (const [index, { from, to }] of events.entries()) {
    const edited = made[index];
    if (edited === undefined) return 'unsafe';
    const end = /\r*\n$/.exec(lines[from - 1]?.raw ?? '')?.[0] ?? '\r\n';
    text += raw(lines.slice(at, from));
    text += edited === 'same' ? raw(lines.slice(from, to)) : edited.kept;
    if (edited !== 'same' && edited.added !== undefined) text += folded(edited.added, end);
    at = to;
  }
  return Buffer.from(`${text}${raw(lines.slice(at))}`, 'latin1');
}

interface Edited {
  /** The properties without ours. */
  readonly kept: string;
  /** Ours, before it is folded. */
  readonly added: string | undefined;
}

/** The properties of one event with this answer; undefined where the old one cannot be cut out. */
function edit(properties: readonly Line[], answer: Answer | undefined): Edited | 'same' | undefined {
  const own = properties.flatMap(ownTexts);
  const wanted = answer === undefined ? [] : [latin1(cleaned(answer))];
  if (own.length === wanted.length && own.every((text, index) => text === wanted[index])) {
    const isKind = answer === undefined || properties.some(isOf(answer));
    if (isKind) return 'same';
  }
  const kept = properties.map(withoutOwn);
  if (kept.includes(undefined)) return undefined;
  return { kept: kept.join(''), added: answer && lineOf(answer) };
}

const raw = (part: readonly Line[]): string => part.map((line) => line.raw).join('');

/** UID of the event in an object; undefined where it is not plain. */
export const uidIn = (data: string): string | undefined =>
  /^UID(?:;[^:\r\n]*)?:(.*)$/im.exec(data.replaceAll(/\r*\n[ \t]/g, ''))?.[1]?.trim();

function linesOf(text: string): Line[] {
  const raws: string[] = [];
  for (const piece of text.match(/[^\n]*\n|[^\n]+$/g) ?? [])
    if (/^[ \t]/.test(piece)) raws.push(`${raws.pop() ?? ''}${piece}`);
    else raws.push(piece);
  return raws.map((raw) => ({
    raw,
    text: raw.replaceAll(/\r*\n[ \t]/g, '').replace(/\r*\n$/, ''),
  }));
}

/** Properties of one event, without its alarms: from the line after BEGIN to the line before which a property may be added. */
interface Event {
  readonly from: number;
  readonly to: number;
  /** It replaces one occurrence of a series. */
  readonly isException: boolean;
}

/** The event and its exceptions; undefined where the object is not plain, or names guests. */
function eventsIn(lines: readonly Line[]): Event[] | undefined {
  const where = (wanted: RegExp): number[] =>
    lines.flatMap(({ text }, index) => (wanted.test(text) ? [index] : []));
  const [begins, ends] = [where(/^BEGIN:VEVENT$/i), where(/^END:VEVENT$/i)];
  if (begins.length === 0 || begins.length !== ends.length) return undefined;
  if (where(/^BEGIN:VCALENDAR$/i).length !== 1) return undefined;
  const events = begins.map((begin, index): Event | undefined => {
    const end = ends[index] ?? -1;
    if (end < begin || end > (begins[index + 1] ?? lines.length)) return undefined;
    const whole = lines.slice(begin, end);
    // programs that write small letters write other things in their own way, too
    if (whole[0]?.text !== 'BEGIN:VEVENT' || whole.some(({ text }) => /^ATTENDEE[;:]/i.test(text)))
      return undefined;
    const inner = lines.findIndex(({ text }, at) => at > begin && at < end && /^BEGIN:/i.test(text));
    const to = inner < 0 ? end : inner;
    const isException = lines.slice(begin, to).some(({ text }) => /^RECURRENCE-ID[;:]/i.test(text));
    return { from: begin + 1, to, isException };
  });
  const known = events.filter((event) => event !== undefined);
  const isPlain = known.length === events.length && known.filter((one) => !one.isException).length === 1;
  return isPlain && uidsOf(lines, known).size <= 1 ? known : undefined;
}

const uidsOf = (lines: readonly Line[], events: readonly Event[]): Set<string> =>
  new Set(
    events.map(
      ({ from, to }) =>
        uidIn(
          lines
            .slice(from, to)
            .map(({ text }) => text)
            .join('\n'),
        ) ?? '',
    ),
  );

const PROPERTY = /^(COMMENT|CATEGORIES)(?:;(?:"[^"]*"|[^":])*)?:(.*)$/is;

/** Texts of ours in a line. */
function ownTexts({ text }: Line): string[] {
  const [, name = '', value = ''] = PROPERTY.exec(text) ?? [];
  if (name.toUpperCase() === 'COMMENT') return value.startsWith(MARK) ? [unescaped(value)] : [];
  return valuesOf(value).filter((one) => OWN.has(one));
}

const isOf =
  ({ property }: Answer) =>
  (line: Line): boolean =>
    ownTexts(line).length > 0 && line.text.slice(0, property.length).toLowerCase() === property;

/** The line as it stands, without what is ours; undefined where that cannot be cut out of it. */
function withoutOwn(line: Line): string | undefined {
  const own = ownTexts(line);
  if (own.length === 0) return line.raw;
  const [, name = '', value = ''] = PROPERTY.exec(line.text) ?? [];
  if (name.toUpperCase() === 'COMMENT' || valuesOf(value).length === own.length) return '';
  // a program joined it with categories of people
  const names = [...OWN].join('|');
  const raw = line.raw
    .replaceAll(new RegExp(`,(?:${names})(?=,|\\r*\\n|$)`, 'g'), '')
    .replace(new RegExp(`:(?:${names}),`), ':');
  const [left] = linesOf(raw);
  return left !== undefined && ownTexts(left).length === 0 ? raw : undefined;
}

const valuesOf = (value: string): string[] => value.split(/(?<!\\),/).map((one) => one.trim());

/** On one line, without control characters. */
function cleaned({ property, text }: Answer): string {
  if (property === 'categories') return text;
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  const [...characters] = line;
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join('')}…` : line;
}

const lineOf = (answer: Answer): string =>
  `${answer.property.toUpperCase()}:${cleaned(answer).replaceAll(/[\\;,]/g, '\\$&')}`;

/** RFC 5545 3.3.11. */
const unescaped = (value: string): string =>
  value.replaceAll(/\\([\\;,nN])/g, (_all, one: string) => (/n/i.test(one) ? '\n' : one));

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** RFC 5545 3.1; no fold splits a character. One character per byte. */
function folded(line: string, end: string): string {
  let text = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > LINE_OCTETS) {
      text += `${end} `;
      octets = 1;
    }
    text += character;
    octets += size;
  }
  return latin1(`${text}${end}`);
}

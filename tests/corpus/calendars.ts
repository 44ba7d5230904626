/** Calendars: each is read by our reader and by ical.js, in a worker that is ended when it takes too long. */
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { EventOutcome } from '../integration/calendar-support.ts';
import type { Seconds } from '../integration/calendar-second.ts';
import type { Found } from './found.ts';
import { row, type Row } from './rows.ts';
import type { Answer, Request } from './second-worker.ts';

const TIMEOUT_MS = 20_000;
const MAX_HEAP_MIB = 512;
/** Differences that are listed of one calendar; the rest is counted. */
const MAX_LISTED = 20;
const DAY = 86_400;

/** One calendar after another. `close` ends its worker. */
export class CalendarJudge {
  #worker: Worker | undefined;

  async judge(found: Found): Promise<Row[]> {
    const bytes = await readFile(found.path);
    const text = bytes.toString('utf8');
    const subject = { name: found.name, kind: productOf(text) };
    const rows: Row[] = [];
    for (const window of windowsOf(text)) rows.push(...(await this.#inWindow(subject, bytes, text, window)));
    return worstOfEach(rows);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  async #inWindow(
    subject: { readonly name: string; readonly kind: string },
    bytes: Uint8Array,
    text: string,
    window: Seconds,
  ): Promise<Row[]> {
    const worker = (this.#worker ??= new Worker(new URL('./second-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
    }));
    worker.postMessage({ bytes, window } satisfies Request);
    const us = await next(worker);
    if (typeof us === 'string') {
      await this.close();
      return [row(subject, 'read', 'broke', us, 'Our reader did not come to an end within the limits.')];
    }
    if (us.by !== 'us') throw new Error('the worker answered out of order');
    const rows = oursAlone(subject, us);
    const them = await next(worker);
    if (typeof them === 'string') await this.close();
    const theirs = typeof them === 'string' ? { thrown: them } : them;
    return [...rows, agreement(subject, text, us, theirs)];
  }
}

/** The next answer; the code of a failure where none comes. */
async function next(worker: Worker): Promise<Answer | 'TIMEOUT' | 'CRASH'> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const [message] = (await once(worker, 'message', { signal: limit })) as [Answer];
    return message;
  } catch {
    return limit.aborted ? 'TIMEOUT' : 'CRASH';
  }
}

type Ours = Extract<Answer, { by: 'us' }>;

function oursAlone(subject: { name: string; kind: string }, us: Ours): Row[] {
  if (us.error === 'FEED_UNEXPECTED')
    return [row(subject, 'read', 'broke', us.error, 'Our reader met something that it did not expect.')];
  if (us.error !== undefined)
    return [row(subject, 'read', 'refused', us.error, 'The calendar is refused as a whole.')];
  const understood =
    us.thrown === undefined
      ? row(subject, 'understood', 'held')
      : row(subject, 'understood', 'broke', 'EXCEPTION', `Interpreting its events threw ${us.thrown}.`);
  return [row(subject, 'read', 'held'), understood];
}

/** Of an event without UID, each reader makes one of its own. */
const keyIn =
  (text: string) =>
  ({ uid, recurrenceId = '-', start, end }: EventOutcome): string =>
    [lineOf(text, uid) === undefined ? '' : uid, String(recurrenceId), start, String(end)].join(' ');

function agreement(
  subject: { name: string; kind: string },
  text: string,
  us: Ours,
  them: { readonly events: readonly EventOutcome[] } | { readonly thrown: string },
): Row {
  if ('thrown' in them) {
    if (us.error !== undefined) return row(subject, 'agrees', 'held', '', 'Neither reads it.');
    return row(subject, 'agrees', 'differs', 'ONLY_WE_READ_IT', `ical.js gives up (${them.thrown}).`);
  }
  if (us.error !== undefined)
    return row(subject, 'agrees', 'differs', us.error, `ical.js finds ${them.events.length} events.`);
  const keyOf = keyIn(text);
  const [ourKeys, theirKeys] = [new Set(us.events.map(keyOf)), new Set(them.events.map(keyOf))];
  const here = us.events.filter((event) => !theirKeys.has(keyOf(event)));
  const there = them.events.filter((event) => !ourKeys.has(keyOf(event)));
  if (here.length + there.length === 0) return row(subject, 'agrees', 'held');
  const refused = new Map<string | null, string>(us.problems.map(({ uid, code }) => [uid ?? null, code]));
  const codes = new Set([...here, ...there].map(({ uid }) => refused.get(uid) ?? 'OTHER_READING'));
  const lines = [
    ...here.map((event) => `only here: ${place(text, event)}`),
    ...there.map((event) => `only ical.js: ${place(text, event)} ${refused.get(event.uid) ?? ''}`.trim()),
  ];
  const more = lines.length > MAX_LISTED ? ` and ${lines.length - MAX_LISTED} more` : '';
  return row(
    subject,
    'agrees',
    'differs',
    [...codes].sort().join('+'),
    `${lines.slice(0, MAX_LISTED).join('; ')}${more}`,
  );
}

/** Where a person finds the event: the line of its UID, and its time. Its UID may name somebody. */
function place(text: string, { uid, start, end }: EventOutcome): string {
  const line = lineOf(text, uid);
  return `${line === undefined ? '' : `line ${line}, `}${start} to ${String(end)}`;
}

/** UIDs are longer than a line that is not folded. To ical.js an event may have none. */
function lineOf(text: string, uid: string | null): number | undefined {
  const at = uid === null || uid === '' ? -1 : text.indexOf(`UID:${uid.slice(0, 60)}`);
  return at < 0 ? undefined : text.slice(0, at).split('\n').length;
}

/** A year from the first event on, and one around the last: rules without end are not followed for centuries. */
export function windowsOf(text: string): Seconds[] {
  const days = [...text.matchAll(/^\s*DTSTART[^\n]*?:(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])/gim)]
    .map(([, year, month, day]) =>
      Temporal.PlainDate.from({ year: Number(year), month: Number(month), day: Number(day) }),
    )
    // 1601 and 1970 are those of definitions of zones
    .filter(({ year }) => year > 1970 && year < 2200)
    .map((date) => date.toZonedDateTime('UTC').epochMilliseconds / 1000)
    .sort((a, b) => a - b);
  const [first, last] = [days[0] ?? 1_735_689_600, days.at(-1) ?? 1_735_689_600];
  const windows = [{ from: first - DAY, to: first + 366 * DAY }];
  return last < first + 366 * DAY ? windows : [...windows, { from: last - 31 * DAY, to: last + 366 * DAY }];
}

/** Which program wrote it, without its version. */
function productOf(text: string): string {
  const product = /^PRODID[^:\r\n]*:([^\r\n]{1,100})/im.exec(text)?.[1]?.trim();
  return product === undefined ? 'a calendar without PRODID' : product.replaceAll(/\d[\d.]*/g, '').trim();
}

/** Of several windows, the one that says more. */
function worstOfEach(rows: readonly Row[]): Row[] {
  const order = ['broke', 'differs', 'refused', 'untried', 'left out', 'held'] as const;
  return [...Map.groupBy(rows, ({ check }) => check).values()].flatMap((same) =>
    same.toSorted((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome)).slice(0, 1),
  );
}

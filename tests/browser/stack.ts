/** A whole Scanflow on this machine's loopback, as `npm run demo` starts it, for the tests of the day board. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeSeries, type PhantomOptions } from '@scanflow/dicom';
import { store } from '@scanflow/dimse';
import { startLocal, type LocalOptions, type LocalStack } from '../../demo/src/local.ts';
import { playDay } from '../../demo/src/play.ts';
import type { Stack } from '../../demo/src/stack.ts';

export interface BoardEvent {
  readonly summary: string;
  readonly description?: string;
  /** Mail address. */
  readonly organizer?: string;
}

export interface Board {
  /** Of the board. */
  readonly url: string;
  readonly stack: Stack;
  /** Ends a service, and starts it anew. */
  readonly programs: LocalStack['programs'];
  /** Makes a user, by default an administrator; answers the one-time link. */
  readonly invite: LocalStack['invite'];
  /** Makes or revokes the link of a scanner's console; answers the link. */
  readonly console: LocalStack['console'];
  /** Adds events to the calendar of the first scanner: title and description, an hour from now. */
  readonly book: (events: readonly BoardEvent[]) => Promise<void>;
  /** A page of the streamer's API. */
  readonly ask: (path: string) => Promise<unknown>;
  /** Plays all bookings: the scanners query, scan and send. */
  readonly play: (images: number) => Promise<void>;
  /** Sends a series that no booking names. */
  readonly sendStray: (
    options: Omit<PhantomOptions, 'modality' | 'when'>,
    callingAet?: string,
  ) => Promise<void>;
}

const silent = { heading: noText, step: noText, problem: noText, progress: noText };
function noText(): void {
  // the test asserts what matters
}

/** `changes`: further keys of the configuration. */
export async function startBoard(
  t: Pick<TestContext, 'after'>,
  sessions: number,
  changes?: LocalOptions['changes'],
): Promise<Board> {
  const ending = new AbortController();
  const day = { sessions, images: 10 };
  const local = await startLocal({ scanners: 1, day, folder: undefined, changes }, silent, ending.signal);
  t.after(() => local.stop({ keepFolder: false }));
  const place = (name: string): string => local.places.find(([what]) => what === name)?.[1] ?? '';
  const { stack } = local;
  const [scanner] = stack.scanners;
  const { url, headers } = stack.streamer;
  return {
    url: place('day board'),
    stack,
    programs: local.programs,
    invite: local.invite,
    console: local.console,
    book: (events) => book(join(place('calendars'), `${scanner?.name ?? ''}.ics`), stack.timezone, events),
    ask: async (path) => (await fetch(`${url}${path}`, { headers })).json(),
    play: async (images) => {
      await playDay(stack, { sessions, images }, silent, ending.signal);
    },
    sendStray: async (options, callingAet = scanner?.aet ?? '') => {
      const series = [
        ...makeSeries({ ...options, modality: 'MR', when: Temporal.Now.zonedDateTimeISO(stack.timezone) }),
      ].map(({ sopInstanceUid, bytes }) => ({ id: sopInstanceUid, bytes }));
      const { host, port, aet } = stack.receiver;
      const peer = { host, port, calledAet: aet, callingAet };
      for await (const outcome of store(peer, series, { signal: ending.signal }))
        if (outcome.result === 'failed') throw new Error(outcome.failure.message);
    },
  };
}

async function book(file: string, timezone: string, events: readonly BoardEvent[]): Promise<void> {
  const now = Temporal.Now.zonedDateTimeISO(timezone);
  // all of them today, a minute each, also shortly before midnight
  const latest = now.startOfDay().add({ days: 1 }).subtract({ minutes: events.length });
  const soon = now.round('minute').add({ minutes: 1 });
  const start = Temporal.ZonedDateTime.compare(soon, latest) > 0 ? latest : soon;
  const time = (at: Temporal.ZonedDateTime): string =>
    at.toInstant().toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const escaped = (text: string): string => text.replaceAll(/[\\;,]/g, '\\$&').replaceAll('\n', '\\n');
  const lines = events.flatMap(({ summary, description, organizer }, index) => [
    'BEGIN:VEVENT',
    `UID:browser-${index}@test.scanflow`,
    'DTSTAMP:20240101T000000Z',
    `DTSTART:${time(start.add({ minutes: index }))}`,
    `DTEND:${time(start.add({ minutes: index + 1 }))}`,
    `SUMMARY:${escaped(summary)}`,
    ...(description === undefined ? [] : [`DESCRIPTION:${escaped(description)}`]),
    ...(organizer === undefined ? [] : [`ORGANIZER;CN=Somebody:mailto:${organizer}`]),
    'END:VEVENT',
  ]);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('END:VCALENDAR', `${lines.join('\r\n')}\r\nEND:VCALENDAR`));
}

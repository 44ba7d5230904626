/**
 * Whether the streamer is there: it tells people of everything else, and cannot tell them that it is gone. cal2wl asks it every
 * minute, and writes to facility IT itself. What it wrote to whom is in a file, so that a restart neither repeats nor forgets it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import {
  recipientsOf,
  sendNotice,
  serviceAddress,
  type Notice,
  type Notify,
  type Recipient,
} from '@scanflow/notify';
import { sleep, type Log } from '@scanflow/runtime';
import { OWN_FILES, type Files } from './lead.ts';
import { z } from 'zod';

const EVERY_MS = 60_000;
const ANSWER_MS = 10_000;
const MODE = 0o640;

const recipient = z.object({ channel: z.string(), address: z.string() });
const said = z.object({
  id: z.string(),
  state: z.enum(['new', 'resolved']),
  at: z.number(),
  /** Who has not got it yet, and who has. */
  left: z.array(recipient),
  got: z.array(recipient),
});
const watched = z.object({
  /** It has answered once: one that never ran is not gone. */
  seen: z.boolean(),
  /** Since when it does not answer. */
  since: z.number().optional(),
  said: said.optional(),
});
export type Watched = z.infer<typeof watched>;

export const NOTHING_SEEN: Watched = { seen: false };

export interface Look {
  readonly answers: boolean;
  readonly now: number;
}

/** What is on record after a look; `said.left` is who is to be written to. Pure. `id`: for a new notice. */
export function afterLook(
  before: Watched,
  { answers, now }: Look,
  { to, awayMs, id }: { readonly to: readonly Recipient[]; readonly awayMs: number; readonly id: string },
): Watched {
  const { since, said: last } = before;
  if (answers) {
    // nobody heard that it was gone: nobody has to hear that it is back
    const got = last?.state === 'new' ? last.got : [];
    const over = last?.state === 'resolved' && last.left.length > 0 ? last : undefined;
    const back: Watched['said'] =
      got.length > 0 ? { id, state: 'resolved', at: now, left: got, got: [] } : over;
    return { seen: true, ...(back === undefined ? {} : { said: back }) };
  }
  if (!before.seen) return before;
  const began = since ?? now;
  if (last?.state === 'new' || now - began < awayMs) return { ...before, since: began };
  return { seen: true, since: began, said: { id, state: 'new', at: now, left: [...to], got: [] } };
}

interface WatchOptions {
  readonly config: Config;
  readonly log: Log;
  readonly inContainer: boolean;
  /** Between two looks, in milliseconds. */
  readonly everyMs?: number;
  readonly files?: Files;
}

/** Runs until the signal aborts. Nothing where nobody wants to know. */
export async function watchStreamer(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { config, log, everyMs = EVERY_MS, files = OWN_FILES } = options;
  const { notify } = config;
  const { it } = notify ?? {};
  if (notify === undefined || it?.topics.includes('service') !== true) return;
  const file = join(config.data, 'cal2wl', 'watch.json');
  const url = `${serviceAddress(config, 'streamer', options.inContainer)}/healthz`;
  const post = { notify, config, log, signal, files };
  let state = await readWatched(file);
  while (!signal.aborted) {
    const answers = await isThere(url, signal);
    const now = Temporal.Now.instant().epochMilliseconds;
    const next = afterLook(
      state,
      { answers, now },
      { to: recipientsOf(it), awayMs: it.away, id: randomUUID() },
    );
    try {
      state = await keepAndWrite(file, { before: state, next }, post);
    } catch (error) {
      log.warn('the watch over the streamer cannot be kept', { error });
    }
    await sleep(everyMs, signal).catch(() => undefined);
  }
}

/** What is on record comes first: what is sent twice has one number. */
async function keepAndWrite(
  file: string,
  { before, next }: { readonly before: Watched; readonly next: Watched },
  post: Post,
): Promise<Watched> {
  const { said: now } = next;
  if (now !== undefined && now.id !== before.said?.id) post.log.warn('the streamer', { state: now.state });
  if (JSON.stringify(next) !== JSON.stringify(before)) await writeWatched(file, next, post.files);
  if (now === undefined || now.left.length === 0) return next;
  await post.files.mayAct();
  const after = await writeToAll(next, post);
  await writeWatched(file, after, post.files);
  return after;
}

const writeWatched = (file: string, state: Watched, files: Files): Promise<void> =>
  files.write(file, `${JSON.stringify(state)}\n`, MODE);

/** A file that nobody can read counts as none. */
async function readWatched(file: string): Promise<Watched> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  try {
    return watched.parse(JSON.parse(text));
  } catch {
    return NOTHING_SEEN;
  }
}

/** It answers, and has its ledger: without that it can tell nobody anything. */
async function isThere(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null && 'ledger' in body && body.ledger === 'ok';
  } catch {
    // we are stopping: that says nothing of it
    return signal.aborted;
  }
}

interface Post {
  readonly notify: Notify;
  readonly config: Config;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly files: Files;
}

async function writeToAll(state: Watched, { notify, config, log, signal }: Post): Promise<Watched> {
  const { said: last } = state;
  if (last === undefined) return state;
  const notice = noticeOf(last, state.since, config);
  const ends = await Promise.all(
    last.left.map(async (to) => ({
      to,
      outcome: await sendNotice(notice, to, notify, { now: last.at, signal }),
    })),
  );
  for (const { to, outcome } of ends)
    if (outcome.kind === 'failed')
      log.warn('notice is sent again', { channel: to.channel, ...outcome.failure });
  const isOver = ({ outcome }: (typeof ends)[number]): boolean =>
    outcome.kind === 'done' || outcome.failure.kind === 'permanent';
  return {
    ...state,
    said: {
      ...last,
      left: ends.filter((end) => !isOver(end)).map(({ to }) => to),
      got: [...last.got, ...ends.filter(({ outcome }) => outcome.kind === 'done').map(({ to }) => to)],
    },
  };
}

function noticeOf(
  { id, state, at }: NonNullable<Watched['said']>,
  since: number | undefined,
  config: Config,
): Notice {
  const { facility } = config;
  const began = Temporal.Instant.fromEpochMilliseconds(since ?? at)
    .toZonedDateTimeISO(facility.timezone)
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' })
    .replace('T', ' ');
  return {
    id,
    thread: createHash('sha256').update('service:streamer').digest('hex').slice(0, 32),
    role: 'it',
    topic: 'service',
    state,
    heading:
      state === 'new' ? 'The streamer does not answer, or has no ledger' : 'The streamer does not answer',
    items: state === 'new' ? [`since ${began}`] : [],
    more: 0,
    paragraphs:
      state === 'new'
        ? [
            'Images wait in Orthanc, and nothing is lost. Until it is back, nothing is stored or sent, and nobody is told of anything else.',
            'See why: docker compose ps, docker compose logs --tail 50 streamer; then docker compose up -d.',
          ]
        : ['It answers again.'],
    facility: facility.name,
    at: Temporal.Instant.fromEpochMilliseconds(at).toString(),
  };
}

/**
 * Erases what a person requested: marks first, so that nothing comes back meanwhile; then ledger, Orthanc, storage and copy;
 * then all of it is looked for once more. Ended at any moment, it is begun again, by this streamer or another.
 */
import { randomBytes } from 'node:crypto';
import { defined, given } from '@scanflow/failure/defined';
import {
  erasureKey,
  erasuresIn,
  markOf,
  readErasure,
  writeErasure,
  type FastifyInstance,
} from '@scanflow/runtime';
import { failureIn } from '@scanflow/failure';
import { withdraw } from '../hooks/bids.ts';
import { unlessGone } from '../model/failure.ts';
import { reached } from '../work/trace.ts';
import { Wake } from '../work/wake.ts';
import { findAll, imagesOf } from './find.ts';
import { type Holdings, type Subject, names, withoutNames } from './holdings.ts';
import { dropIntent, writeIntent, type Intent, intents } from './intent.ts';
import { findSession } from '../ledger/views.ts';
import { forgetSeries, rewriteMoves } from './sql.ts';
import type { LoopDeps } from '../work/deps.ts';
import { Answer, byWhom, labelIn, textIn } from '../http/request.ts';

/** Writes the findings, then the marks, before anything is removed. */
export async function beginErasure(
  wanted: Subject & Pick<Intent, 'by' | 'reason'>,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<string> {
  const id = randomBytes(8).toString('hex');
  const { series, accessions, studies, counts } = await findAll(wanted, deps, signal);
  const asked = instant(deps.clock.now());
  const found = { series, accessions, studies, removed: { ...counts } };
  await writeIntent(deps.data, { id, ...wanted, asked, ...found, waits: [] });
  return id;
}

const instant = (now: number): string =>
  Temporal.Instant.fromEpochMilliseconds(now).toString({ smallestUnit: 'second' });

/** Whether all of it is gone. Throws if Orthanc, storage or the ledger does not answer; the worker then tries again. */
async function eraseStep(intent: Intent, deps: LoopDeps, signal: AbortSignal): Promise<boolean> {
  const { data, log, ledger, clock } = deps;
  const holdings = await findAll(intent, deps, signal, intent.series);
  // what was found before, and may be half gone, is among the series that are found now
  const known: Intent = {
    ...intent,
    series: holdings.series,
    accessions: [...new Set([...intent.accessions, ...holdings.accessions])],
    studies: [...new Set([...intent.studies, ...holdings.studies])],
  };
  await writeIntent(data, known);
  reached('erasure-found');
  await mark(known, holdings, deps);
  reached('erasure-marked');
  const stays = await remove(known, deps, signal);
  await removeElsewhere(known, holdings, deps);
  await withdraw(known, { preview: false }, deps, signal);
  reached('erasure-removed');
  const left = await findAll(known, deps, signal, known.series);
  const waits = [...Object.entries(left.counts).map(([what, count]) => `${count} ${what}`), ...stays];
  if (Object.keys(left.counts).length > 0) {
    await writeIntent(data, { ...known, waits });
    return false;
  }
  await ledger.scrub();
  await conclude(known, deps);
  await dropIntent(data, intent.id);
  reached('erasure-done');
  log.info('erased', {
    erasure: intent.id,
    series: known.series.length,
    ms: clock.now() - Temporal.Instant.from(intent.asked).epochMilliseconds,
  });
  return true;
}

async function mark(
  { id, project, subject, session, by, reason, asked, accessions, studies, removed }: Intent,
  { seriesUids, instances }: Holdings,
  { data }: LoopDeps,
): Promise<void> {
  const folder = erasuresIn(data);
  const key = await erasureKey(folder);
  const before = await readErasure(folder, id);
  const marks = new Set(before?.marks);
  marks.add(
    session === undefined
      ? markOf(key, 'labels', project, subject)
      : markOf(key, 'labels', project, subject, session),
  );
  for (const accession of accessions) marks.add(markOf(key, 'accession', accession));
  for (const uid of studies) marks.add(markOf(key, 'study', uid));
  for (const uid of seriesUids) marks.add(markOf(key, 'series', uid));
  for (const uid of instances) marks.add(markOf(key, 'instance', uid));
  await writeErasure(folder, { id, begun: asked, by, reason, removed, marks: [...marks].toSorted() });
}

/** Gives what stays in the series' folders: files that Scanflow did not write. */
async function remove(
  { series }: Intent,
  { ledger, orthanc, store, copies, clock }: LoopDeps,
  signal: AbortSignal,
): Promise<string[]> {
  const sessions = [...new Set(series.flatMap(({ session }) => session ?? []))];
  const folders = new Map<string, string>();
  for (const id of sessions) {
    const session = await ledger.read(findSession, id);
    if (session?.folder !== undefined) folders.set(id, session.folder);
  }
  // whoever stores or sends one of them is refused from here on
  const ids = series.map(({ id }) => id);
  const busy = await ledger.write(forgetSeries, ids, sessions, clock.now());
  reached('erasure-forgotten');
  // it finds out with its next look at the lease, and until then may write a file
  if (busy) await new Wake().wait(ledger.leaseMs, signal);
  const stays: string[] = [];
  for (const { id, parts, session, paths, copies: copied } of series) {
    signal.throwIfAborted();
    for (const instance of (await imagesOf(id, parts, orthanc, signal)).keys())
      await unlessGone(orthanc.remove(instance, signal));
    reached('erasure-orthanc');
    for (const path of paths) {
      const left = (await store.remove(path, id)) ?? [];
      stays.push(...left.map((name) => `${path}/${name}, which others put there, stays`));
      if (session !== undefined) await removeReports(session, path, folders.get(session), store);
    }
    for (const path of copied) await copies?.remove(path, id);
    reached('erasure-series');
  }
  return stays;
}

/** Decisions, and what a series that is another's by now has of the subject. */
async function removeElsewhere(
  intent: Intent,
  { decisions, others }: Holdings,
  { ledger, store, clock }: LoopDeps,
): Promise<void> {
  const leave = (): Promise<void> => Promise.resolve();
  for (const { id } of intent.series) await store.dropDecision(id);
  for (const id of decisions) await store.dropDecision(id);
  for (const { id, path } of others.folders) await store.remove(path, id);
  for (const { id, path } of others.records) {
    const folder = await store.reopen(path, id);
    if (folder === undefined) continue;
    const moved = withoutNames(intent, folder.record.moved ?? []);
    await store.writeRecord(folder, { ...folder.record, moved }, leave);
  }
  for (const { id, session, moved = [] } of others.rows) {
    const before = moved.filter((one) => names(intent, one)).flatMap(({ from, to }) => [from.path, to.path]);
    // the one at the right place is written anew
    if (session !== undefined)
      for (const path of before) await removeReports(session, path, undefined, store);
    await ledger.write(rewriteMoves, id, withoutNames(intent, moved), clock.now());
  }
}

/** In the folder that the ledger names, and in those above the series', should it have forgotten. */
async function removeReports(
  session: string,
  path: string,
  folder: string | undefined,
  store: LoopDeps['store'],
): Promise<void> {
  const parts = path.split('/');
  const above = parts
    .map((_, index) => parts.slice(0, index).join('/'))
    .filter((one) => one !== '' || !path.startsWith('/'));
  for (const one of new Set([...(folder === undefined ? [] : [folder]), '', ...above]))
    await store.removeReports(one, session);
}

async function conclude({ id }: Intent, { data, clock }: LoopDeps): Promise<void> {
  const folder = erasuresIn(data);
  const before = await readErasure(folder, id);
  if (before !== undefined) await writeErasure(folder, { ...before, ended: instant(clock.now()) });
}

/** Others may have to do their part first: bookings and exams are theirs. */
const LOOK_MS = 5_000;

export async function eraseNext(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { condition, wakes, data } = deps;
  const open = condition.leads ? await intents(data) : [];
  for (const intent of open) if (!signal.aborted) await eraseStep(intent, deps, signal);
  await wakes.erase.wait(LOOK_MS, signal);
}

/** Time limit for a search through all of storage. */
const LIMIT_MS = 600_000;

export function eraseRoutes(app: FastifyInstance, deps: LoopDeps): void {
  app.post('/api/erase/preview', async ({ body }) => {
    const found = await finding(findAll(subjectIn(body), deps, AbortSignal.timeout(LIMIT_MS)));
    const { counts, destinations, hooks, kept, series } = found;
    return { series: series.length, counts, destinations, hooks, kept };
  });
  app.post('/api/erase', async ({ body, ip }) => {
    const subject = subjectIn(body);
    const reason = textIn(body, 'reason') ?? '';
    if (reason === '' || reason.length > 200)
      throw new Answer(400, 'expected a reason of 1 to 200 characters');
    for (const label of [subject.project, subject.subject, subject.session])
      if (label !== undefined && reason.includes(label))
        throw new Answer(400, 'the reason is kept: it must not name the project, the subject or the session');
    const { by, from } = byWhom(body, ip);
    const id = await finding(beginErasure({ ...subject, reason, by }, deps, AbortSignal.timeout(LIMIT_MS)));
    deps.log.warn('erasure requested', { erasure: id, by, from });
    deps.wakes.erase.notify();
    return { id };
  });
  app.get<{ Params: { id: string } }>('/api/erase/:id', async ({ params: { id } }) => {
    if (!/^[0-9a-f]{16}$/.test(id)) throw new Answer(400, 'expected the id of an erasure');
    const open = (await intents(deps.data)).find((one) => one.id === id);
    if (open !== undefined) return { id, state: 'erasing', waits: open.waits, removed: open.removed };
    const done = await readErasure(erasuresIn(deps.data), id);
    if (done === undefined) throw new Answer(404, `there is no erasure ${id}`);
    return { id, state: 'erased', waits: [], removed: done.removed };
  });
}

/** Where the dataset cannot be looked at, nothing begins, and whoever asks reads why. */
const finding = <T>(found: Promise<T>): Promise<T> =>
  found.catch((error: unknown) => {
    const failure = failureIn(error);
    if (failure === undefined || !/^(?:BIDS|HOOK)_/.test(failure.code)) throw error;
    throw new Answer(
      409,
      `${failure.message} Nothing is erased yet: the BIDS dataset may have files of the subject. Start the bids service, then erase again; or take bids out of the configuration, and remove these files yourself.`,
    );
  });

function subjectIn(body: unknown): Subject {
  const session = defined({ session: given(textIn(body, 'session'), () => labelIn(body, 'session')) });
  return { project: labelIn(body, 'project'), subject: labelIn(body, 'subject'), ...session };
}

/**
 * The API: POST /api/deliveries, /api/remove, /api/plan/now (the streamer), /api/plan, /api/validate, /api/suggest (people), GET
 * /api/status. /api/plan/now answers within seconds. The others may take hours, so they send a sign of life, then the answer.
 */
import { codeOf, failureIn, messageOf, transient, type Failure } from '@scanflow/failure';
import type { FastifyInstance, Log, FastifyReply } from '@scanflow/runtime';
import type { ServerResponse } from 'node:http';
import { defined } from '@scanflow/failure/defined';
import { convert, plan, remove, suggest, validate, type JobDeps, type Running } from './jobs.ts';
import { fieldsOf, readRemoval, readRequest } from './request.ts';
import type { Plans } from './plans.ts';
import type { GivenRules } from './rules.ts';
import type { Progress } from './work/types.ts';

interface ApiDeps extends JobDeps {
  readonly log: Log;
  readonly plans: Plans;
  /** Aborts when the service stops. */
  readonly signal: AbortSignal;
  readonly versions: Readonly<Record<string, string>>;
}

/** A session of a thousand series is half a MiB. */
const BODY = { bodyLimit: 1024 * 1024 };
/** A project of a thousand sessions, for suggestions. */
const LARGE = { bodyLimit: 32 * 1024 * 1024 };
const MOST_SESSIONS = 2_000;

export function routes(app: FastifyInstance, deps: ApiDeps): void {
  const { line, versions } = deps;
  app.get('/api/status', () => ({ running: line.running().length, waiting: line.waiting(), versions }));
  app.post('/api/plan/now', BODY, ({ body }) => planNow(body, deps));
  const long = longRoutes(app, deps);
  changes(long, deps);
  long('/api/plan', BODY, async (body, running) => {
    const { request, rules } = fieldsOf(body);
    const { plan: planned } = await plan(readRequest(request), rulesIn(rules), running, deps);
    return { plan: planned };
  });
  long('/api/validate', BODY, async (body, running) => {
    const { project, root } = readRequest(fieldsOf(body)['request']);
    return validate({ project, root }, running, deps);
  });
  long('/api/suggest', LARGE, async (body, running) => {
    const { requests, rules } = fieldsOf(body);
    const sessions = (Array.isArray(requests) ? requests : []).slice(0, MOST_SESSIONS).map(readRequest);
    return { rules: await suggest(sessions, rulesIn(rules), running, deps) };
  });
}

type Long = (path: string, options: object, work: Work) => void;

function longRoutes(app: FastifyInstance, deps: ApiDeps): Long {
  const { metrics, log } = deps;
  return (path, options, work) => {
    app.post(path, options, ({ body }, reply) => {
      const limit = AbortSignal.timeout(deps.config.bids.timeout);
      const stop = AbortSignal.any([deps.signal, limit]);
      return answerLong(reply, stop, async (running) => {
        try {
          return { ok: true, ...(await work(body, running)) };
        } catch (error) {
          // whoever waited is gone, or we stop: nobody reads an answer
          if (running.signal.aborted && !limit.aborted) throw error;
          const failure = limit.aborted ? TOO_LONG : failureOf(error);
          if (path === DELIVERIES) metrics.failed(failure.code);
          if (failure.code === 'UNEXPECTED') log.error('a request failed', { path, error });
          return { ok: false, failure };
        }
      });
    });
  };
}

/** What the streamer asks for: it changes datasets. */
function changes(long: Long, deps: ApiDeps): void {
  const { log } = deps;
  long(DELIVERIES, BODY, async (body, running) => {
    const request = readRequest(body);
    log.info('session taken', { sessionId: request.id, series: request.series.length });
    const result = await convert(request, running, deps);
    const { state, verdict, errorCount, warningCount } = result;
    log.info('session done', {
      sessionId: request.id,
      state,
      verdict,
      errors: errorCount,
      warnings: warningCount,
    });
    return { result };
  });
  long('/api/remove', BODY, async (body, running) => {
    const isPreview = fieldsOf(body)['preview'] === true;
    const removed = await remove(readRemoval(body), isPreview, running, deps);
    const { folders, files, kept } = removed;
    if (!isPreview && files > 0)
      log.info('sessions removed', { sessions: folders.length, files, kept: kept.length });
    return { removed };
  });
}

async function planNow(body: unknown, { plans, log }: ApiDeps): Promise<object> {
  try {
    return { ok: true, now: await plans.now(readRequest(fieldsOf(body)['request'])) };
  } catch (error) {
    if (failureIn(error) === undefined) log.error('a plan failed', { error });
    return { ok: false, failure: failureOf(error) };
  }
}

const DELIVERIES = '/api/deliveries';

type Work = (body: unknown, running: Running) => Promise<object>;

function rulesIn(rules: unknown): GivenRules | undefined {
  if (rules === undefined) return undefined;
  const { file, text } = fieldsOf(rules);
  return {
    file: typeof file === 'string' ? file.slice(0, 200) : 'rules',
    text: typeof text === 'string' ? text : '',
  };
}

const TOO_LONG = transient(
  'BIDS_TIMEOUT',
  'The session took longer than bids.timeout, waiting in line included. It is tried again; give it more time, or raise bids.parallel.',
);

const failureOf = (error: unknown): Failure =>
  failureIn(error) ??
  transient(
    'UNEXPECTED',
    `The bids service failed (${codeOf(error) ?? messageOf(error)}). Its log says more.`,
  );

// Answers that take minutes or hours: lines of progress or blanks as a sign of life, then one line of JSON.

/** The other side, and whatever is between, may take silence for death. */
const ALIVE_MS = 4_000;

/**
 * Answers 200 at once, and the result once it is there. Work that rejects cuts the connection: whoever asked sees that there is
 * no answer. The work's signal aborts where the caller goes away.
 * With `accept: application/x-ndjson`, progress comes as lines of JSON.
 */
function answerLong(
  reply: FastifyReply,
  stop: AbortSignal,
  work: (running: Running) => Promise<object>,
): FastifyReply {
  reply.hijack();
  const { raw, request } = reply;
  const gone = new AbortController();
  const lines = request.headers.accept === 'application/x-ndjson';
  raw.writeHead(200, {
    'content-type': lines ? 'application/x-ndjson' : 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  raw.write('\n');
  const alive = setInterval(() => raw.write('\n'), ALIVE_MS);
  raw.on('close', () => {
    clearInterval(alive);
    if (!raw.writableFinished) gone.abort();
  });
  const onProgress = lines ? (progress: Progress) => writeLine(raw, { progress }) : undefined;
  const running: Running = { signal: AbortSignal.any([stop, gone.signal]), ...defined({ onProgress }) };
  work(running)
    .then((answer) => raw.end(`${JSON.stringify(answer)}\n`))
    .catch(() => raw.destroy())
    .finally(() => clearInterval(alive));
  return reply;
}

const writeLine = (raw: ServerResponse, line: object): void => {
  if (!raw.writableEnded) raw.write(`${JSON.stringify(line)}\n`);
};

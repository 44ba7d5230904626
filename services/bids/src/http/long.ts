/** Answers that take minutes or hours: lines of progress or blanks as a sign of life, then one line of JSON. */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from '@scanflow/runtime';
import { defined } from '@scanflow/failure/defined';
import type { Running } from '../jobs.ts';
import type { Progress } from '../work/types.ts';

/** The other side, and whatever is between, may take silence for death. */
const ALIVE_MS = 4_000;

/**
 * Answers 200 at once, and the result once it is there. Work that rejects cuts the connection: whoever asked sees that there is
 * no answer. The work's signal aborts where the caller goes away.
 * With `accept: application/x-ndjson`, progress comes as lines of JSON.
 */
export function answerLong(
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

/** The worker thread of isolated.ts: reads one calendar and posts its contents. */
import { parentPort } from 'node:worker_threads';
import { fromRequest, toMessage, type ReadRequest } from './isolated.ts';
import { readCalendar } from './read.ts';

parentPort?.on('message', (request: ReadRequest) =>
  parentPort?.postMessage(toMessage(readCalendar(request.bytes, fromRequest(request)))),
);

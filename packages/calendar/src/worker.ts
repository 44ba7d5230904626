/** The thread of isolated.ts: reads a calendar and answers with its content. */
import { parentPort } from 'node:worker_threads';
import { fromRequest, toMessage, type ReadRequest } from './message.ts';
import { readCalendar } from './read.ts';

parentPort?.on('message', (request: ReadRequest) =>
  parentPort?.postMessage(toMessage(readCalendar(request.bytes, fromRequest(request)))),
);

/** The worker thread of isolated.ts: reads one calendar and answers with what is in it. */
import { parentPort, workerData } from 'node:worker_threads';
import { fromRequest, toMessage, type ReadRequest } from './message.ts';
import { readCalendar } from './read.ts';

const request = workerData as ReadRequest;
parentPort?.postMessage(toMessage(readCalendar(request.bytes, fromRequest(request))));

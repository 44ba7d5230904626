/** Reads reports of exams: small ones at once, large ones in a worker thread, so that nobody waits for 100,000 images. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { DicomDecodeError } from '@scanflow/dicom';
import { readReport, sizeOf, type Report, type Reported } from '../domain/mpps-report.ts';
import type { Answer } from '../mpps-worker.ts';

/** Up to so many bytes are read in the event loop: some milliseconds. */
const SMALL_BYTES = 131_072;
/** Longest reading, start of the worker included. The largest report takes a second or two. */
const TIMEOUT_MS = 30_000;
/** Heap of the worker: the largest report needs some 150 MiB. */
const HEAP_MIB = 384;
/** The worker ends when nothing large came for so long. */
const IDLE_MS = 60_000;

export class Reports {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  /** Throws DicomDecodeError, as reading does; and Error where the worker ran out of time or memory. */
  async read(report: Report): Promise<Reported> {
    if (sizeOf(report) <= SMALL_BYTES) return readReport(report);
    // one at a time: a large one takes memory
    const turn = this.#last.then(() => this.#readElsewhere(report));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #readElsewhere(report: Report): Promise<Reported> {
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= start());
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      worker.postMessage(report);
      const [answer] = (await once(worker, 'message', { signal })) as [Answer];
      this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
      if ('undecodable' in answer) throw decodeError(answer.undecodable);
      return answer;
    } catch (error) {
      if (!(error instanceof DicomDecodeError)) await this.close();
      throw error;
    }
  }
}

function start(): Worker {
  const worker = new Worker(new URL('../mpps-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, maxYoungGenerationSizeMb: 16 },
    execArgv: [],
    env: {},
  });
  // whoever waits for an answer is told by once()
  worker.on('error', () => undefined);
  worker.unref();
  return worker;
}

function decodeError({ code, offset, message }: Pick<DicomDecodeError, 'code' | 'offset' | 'message'>) {
  return new DicomDecodeError(code, offset, message.replace(/ \(at byte \d+\)$/, ''));
}

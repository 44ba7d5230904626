/** Reads reports of exams: small ones at once, large ones in a worker thread, so that nobody waits for 100,000 images. */
import { DicomDecodeError } from '@scanflow/dicom';
import { Thread } from '@scanflow/runtime/thread';
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
  // one at a time: a large one takes memory
  readonly #thread = new Thread<Report, Answer>({
    module: new URL('../mpps-worker.ts', import.meta.url),
    timeoutMs: TIMEOUT_MS,
    heapMiB: HEAP_MIB,
    youngMiB: 16,
    idleMs: IDLE_MS,
  });

  /** Throws DicomDecodeError, as reading does; and ThreadError where the thread exceeded its limits. */
  async read(report: Report): Promise<Reported> {
    if (sizeOf(report) <= SMALL_BYTES) return readReport(report);
    const answer = await this.#thread.call(report);
    if ('undecodable' in answer) throw decodeError(answer.undecodable);
    return answer;
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}

function decodeError({ code, offset, message }: Pick<DicomDecodeError, 'code' | 'offset' | 'message'>) {
  return new DicomDecodeError(code, offset, message.replace(/ \(at byte \d+\)$/, ''));
}

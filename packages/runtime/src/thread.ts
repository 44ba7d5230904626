/** Work that may take too long or too much memory, in a worker thread: it costs only itself. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const END_MS = 5_000;

export interface ThreadOptions {
  /** The module that the thread runs. It answers each message with one message, in order. */
  readonly module: URL;
  /** Longest time for one answer in milliseconds; the start of the thread counts. */
  readonly timeoutMs: number;
  /** Largest heap of the thread in MiB. */
  readonly heapMiB: number;
  /** Of that, for young objects. Default 8. */
  readonly youngMiB?: number;
  /** The thread ends after so many milliseconds without work. Default: it stays until close(). */
  readonly idleMs?: number;
  /** Calls that may wait for the thread. Default 256. */
  readonly waiting?: number;
}

/**
 * Why there is no answer. `time` and `memory`: the work exceeded its limit. `busy`: too many calls wait. `failed`: the
 * thread could not start, or what it ran threw.
 */
export class ThreadError extends Error {
  override readonly name = 'ThreadError';
  readonly reason: 'time' | 'memory' | 'busy' | 'failed';

  constructor(reason: ThreadError['reason'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/**
 * One thread that answers calls one after the other. It starts with the first call, and again after a failure. It does not
 * keep the process alive while it is idle.
 */
export class Thread<Request, Answer> {
  readonly #options: ThreadOptions;
  #running: Running | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Request and answer are cloned (structuredClone). Throws ThreadError. */
  async call(request: Request): Promise<Answer> {
    const { waiting = 256 } = this.#options;
    if (this.#waiting > waiting)
      throw new ThreadError('busy', `${waiting} calls wait for the thread already`);
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#call(request)).finally(() => (this.#waiting -= 1));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Ends the thread; a call under way fails. A thread that does not end is left to itself after 5 s. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    // V8 looks for the end of a thread in most loops, not in one of built-in functions alone: nobody waits for such a loop
    await Promise.race([running.worker.terminate(), sleep(END_MS, undefined, { ref: false })]);
  }

  async #call(request: Request): Promise<Answer> {
    const { timeoutMs, idleMs } = this.#options;
    clearTimeout(this.#idle);
    const { worker, ended } = (this.#running ??= start(this.#options));
    const limit = AbortSignal.timeout(timeoutMs);
    worker.ref();
    try {
      worker.postMessage(request);
      const [answer] = (await once(worker, 'message', { signal: AbortSignal.any([limit, ended]) })) as [
        Answer,
      ];
      worker.unref();
      if (idleMs !== undefined) this.#idle = setTimeout(() => void this.close(), idleMs).unref();
      return answer;
    } catch (error) {
      await this.close();
      throw limit.aborted
        ? new ThreadError('time', `no answer within ${timeoutMs} ms`, error)
        : new ThreadError(
            isOutOfMemory(error) ? 'memory' : 'failed',
            'the thread ended without an answer',
            error,
          );
    }
  }
}

interface Running {
  readonly worker: Worker;
  /** Aborts once the thread is gone, for whatever reason. */
  readonly ended: AbortSignal;
}

function start({ module, heapMiB, youngMiB = 8 }: ThreadOptions): Running {
  const worker = new Worker(module, {
    resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: youngMiB },
    execArgv: [],
    env: {},
  });
  const ended = new AbortController();
  // once() reports it to the call under way; between calls nobody listens
  worker.on('error', () => undefined);
  worker.on('exit', () => ended.abort());
  return { worker, ended: ended.signal };
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';

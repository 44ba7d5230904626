/**
 * Preloaded into a streamer (`node --import`): ends it by SIGKILL some microseconds after the nth moment of its work,
 * whatever it does by then: a thread of its own does it. KILL_FILE holds `<nth> <µs>`; it is read upon SIGUSR2, and at
 * the start with KILL_AT_START. Which moment it was stands in KILL_NOTE.
 */
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

function lieInWait(): void {
  const { KILL_FILE = '', KILL_NOTE = '', KILL_AT_START } = process.env;
  const delay = new Int32Array(new SharedArrayBuffer(4));
  let left = Infinity;
  let micros = 1;
  const arm = (): void => {
    const [nth = Infinity, after = 1] = readFileSync(KILL_FILE, 'utf8').split(' ').map(Number);
    [left, micros] = [nth, Math.max(1, after)];
  };
  new Worker(import.meta.filename, { workerData: delay, execArgv: [] }).unref();
  process.on('SIGUSR2', arm);
  if (KILL_AT_START !== undefined) arm();
  subscribe('scanflow.streamer', (message) => {
    left -= 1;
    if (left !== 0) return;
    writeFileSync(KILL_NOTE, (message as { moment: string }).moment);
    Atomics.store(delay, 0, micros);
    Atomics.notify(delay, 0);
  });
}

function kill(delay: Int32Array): void {
  Atomics.wait(delay, 0, 0);
  const micros = Atomics.load(delay, 0);
  // nobody changes it again: the wait ends by its time
  Atomics.wait(delay, 0, micros, micros / 1000);
  process.kill(process.pid, 'SIGKILL');
}

if (isMainThread) lieInWait();
else kill(workerData as Int32Array);

/**
 * Runs in a streamer's container. When project storage holds some images it stops the streamer (SIGSTOP) if that is the
 * one that pulled them, so that it is still mid-series when the test has it killed.
 */
import { readdirSync, readFileSync } from 'node:fs';

const ENOUGH = 20;
const DEADLINE_MS = 180_000;
/** More than talking to the ledger takes, less than so many images of 512 KiB. */
const PULLED = 5_000_000;

/** Bytes that this container has received. */
const received = (): number =>
  readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .slice(2)
    .reduce((sum, line) => sum + Number(line.trim().split(/[:\s]+/)[1] ?? 0), 0);

const images = (): number =>
  readdirSync('/project', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.dcm'))
    .length;

const before = received();
const from = performance.now();
console.log('watching');
while (images() < ENOUGH && performance.now() - from < DEADLINE_MS)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
if (received() - before < PULLED) console.log('another one');
else {
  // the first of its container's processes is Docker's init, its child the streamer
  process.kill(Number(readFileSync('/proc/1/task/1/children', 'utf8').trim().split(' ')[0]), 'SIGSTOP');
  console.log(`stopped at ${images()} images`);
}

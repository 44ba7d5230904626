/**
 * What V8 is told about memory; imported first, for what it does before the rest is loaded. Reading ten thousand items
 * makes much that is dropped at once: V8 would take 64 MB for it and hardly give them back. Collected more often in
 * 1 MB, it takes as long.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');

/** Once all is loaded: answers are short-lived, a few megabytes hold them, and what is held longer hardly grows. */
export function settleMemory(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--optimize-for-size');
}

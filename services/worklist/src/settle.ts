/** Sets V8's memory flags once the worklist is loaded. */
import { setFlagsFromString } from 'node:v8';

/**
 * Answers are short-lived, a few megabytes hold them, and what is held longer hardly grows. What loading left over is
 * given back after a second, not eight.
 */
export function settleMemory(): void {
  setFlagsFromString('--memory-reducer-delay-ms=1000');
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--optimize-for-size');
}

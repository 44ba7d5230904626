/** Text of others where a person reads it. Pure. */

/** Control characters (C0, DEL, C1), line separators, and what turns the direction of text. */
const STEERING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Characters that steer a terminal, as `\u001b`. In JSON, that stands for the same.
 *
 * @example
 * ```ts
 * import { visible } from '@scanflow/runtime/visible';
 *
 * visible('a\x1b[2J'); // → 'a\\u001b[2J'
 * ```
 */
export const visible = (text: string): string =>
  text.replaceAll(STEERING, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

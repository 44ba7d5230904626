/** Slows down whoever guesses passwords, per user and per address, without locking anybody out for good. Pure but for its memory. */

const FREE_ATTEMPTS = 5;
const FIRST_MS = 1_000;
const CAP_MS = 15 * 60_000;
/** Without another failure for so long, an entry is forgotten. */
const FORGET_MS = 60 * 60_000;
/** Keys at once. The oldest goes: who fills it up with names gains no attempt on one name. */
const MOST_KEYS = 20_000;

/**
 * What is slowed down: the name, and the address. Who has an IPv6 network of 64 bits has all of its addresses
 * (RFC 6177), so they count as one.
 */
export const limiterKeys = (name: string, address: string): string[] => [
  `user:${name}`,
  `address:${networkOf(address)}`,
];

function networkOf(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.split('::', 2);
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => '0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}

interface Entry {
  failures: number;
  last: number;
}

export interface Limiter {
  /** Milliseconds until somebody may try again; 0: now. */
  readonly wait: (keys: readonly string[], now: number) => number;
  readonly failed: (keys: readonly string[], now: number) => void;
  readonly succeeded: (keys: readonly string[]) => void;
}

export function createLimiter(): Limiter {
  const entries = new Map<string, Entry>();
  const waitOf = (key: string, now: number): number => {
    const entry = entries.get(key);
    if (entry === undefined || now - entry.last > FORGET_MS) return 0;
    const beyond = entry.failures - FREE_ATTEMPTS;
    const pause = beyond < 0 ? 0 : Math.min(FIRST_MS * 2 ** beyond, CAP_MS);
    return Math.max(0, entry.last + pause - now);
  };
  return {
    wait: (keys, now) => Math.max(0, ...keys.map((key) => waitOf(key, now))),
    failed: (keys, now) => {
      for (const key of keys) {
        const known = entries.get(key);
        const failures = known === undefined || now - known.last > FORGET_MS ? 1 : known.failures + 1;
        entries.delete(key);
        entries.set(key, { failures, last: now });
        if (entries.size > MOST_KEYS) entries.delete(entries.keys().next().value ?? '');
      }
    },
    succeeded: (keys) => {
      for (const key of keys) entries.delete(key);
    },
  };
}

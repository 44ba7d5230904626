/**
 * Passwords: at rest as Argon2id (RFC 9106) with the parameters in the text, so that they may change later; and against
 * guessing.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { people } from '../texts/people.ts';

const t = people.passwordProblems;

const derive = promisify(argon2);

interface Cost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** OWASP's second choice for Argon2id: 19 MiB and two passes. */
const COST: Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const TAG_BYTES = 32;
const SALT_BYTES = 16;

export const LEAST_CHARACTERS = 10;
const MOST_CHARACTERS = 1024;

/** Why a password is not taken; undefined where it is. Characters as people count them; no rules about kinds (NIST SP 800-63B 3.1.1.2). */
export function passwordProblem(password: string, name: string): string | undefined {
  const length = [...new Intl.Segmenter().segment(password)].length;
  if (length < LEAST_CHARACTERS) return t.short(length, LEAST_CHARACTERS);
  if (length > MOST_CHARACTERS) return t.long(MOST_CHARACTERS);
  if (new Set(password).size < 4) return t.repeats;
  return password.toLowerCase().includes(name.toLowerCase()) ? t.name : undefined;
}

/** The text that is kept: `$argon2id$v=19$m=…,t=…,p=…$salt$tag`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await tagOf(password, salt, COST);
  const { memory, passes, parallelism } = COST;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

const KEPT =
  /^\$argon2id\$v=19\$m=(?<memory>\d{1,8}),t=(?<passes>\d{1,3}),p=(?<parallelism>\d{1,3})\$(?<salt>[\w+/]{11,86})\$(?<tag>[\w+/]{43})$/;

/**
 * Whether it is the password. `kept` undefined, an unknown user, takes the same time as a wrong password, so that
 * nobody learns which names exist.
 */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  const groups = KEPT.exec(kept ?? '')?.groups;
  const salt = Buffer.from(groups?.['salt'] ?? 'A'.repeat(22), 'base64');
  const number = (key: 'memory' | 'passes' | 'parallelism'): number => Number(groups?.[key] ?? COST[key]);
  const cost = { memory: number('memory'), passes: number('passes'), parallelism: number('parallelism') };
  const tag = await tagOf(password, salt, cost);
  return groups !== undefined && timingSafeEqual(tag, Buffer.from(groups['tag'] ?? '', 'base64'));
}

/** Text is compared in its composed form: keyboards differ in how they write é (RFC 8265 4.2.2). */
const tagOf = (password: string, nonce: Buffer, cost: Cost): Promise<Buffer> =>
  derive('argon2id', {
    message: password.slice(0, MOST_CHARACTERS).normalize('NFC'),
    nonce,
    tagLength: TAG_BYTES,
    ...cost,
  });

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

// Slows down whoever guesses passwords, per user and per address, without locking anybody out for good. Pure but for its memory.

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

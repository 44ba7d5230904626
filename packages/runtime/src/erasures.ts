/**
 * What was erased on a person's wish, known by keyed hashes alone (HMAC-SHA-256, RFC 2104): the labels, and the identifiers of
 * bookings and images. `data/erasures` holds the key and a file for each erasure. The streamer writes them; cal2wl and
 * worklist read them, so that nothing of it comes back.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { absent, createFileOnce, namesIn, readBounded, stampOf, writeFileAtomic } from './files.ts';

/** `labels`: project and subject, or project, subject and session. The others: one identifier. */
export type MarkKind = 'labels' | 'accession' | 'study' | 'series' | 'instance';

const erasure = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** UTC. */
  begun: z.string(),
  ended: z.string().optional(),
  by: z.string(),
  reason: z.string(),
  /** What was removed, by place. */
  removed: z.record(z.string(), z.number()),
  marks: z.array(z.string()),
});

export type Erasure = z.infer<typeof erasure>;

const KEY = 'key';
const KEY_BYTES = 32;
const MOST_BYTES = 256 * 1024 * 1024;
const NAME = /^([0-9a-f]{16})\.json$/;

/**
 * The folder of the erasures.
 *
 * @param data the data folder of the services
 */
export const erasuresIn = (data: string): string => join(data, 'erasures');

/** A keyed hash of identifiers: it recognises what was erased, and nobody without the key can read who it was. */
export const markOf = (key: Uint8Array, kind: MarkKind, ...values: readonly string[]): string =>
  createHmac('sha256', key)
    .update(JSON.stringify([kind, ...values.map((value) => value.trim().normalize('NFC'))]))
    .digest('base64url');

/**
 * The key of the installation, which is made before the first erasure. Whoever has it can find out whom a mark is of. Throws if
 * there are erasures without it: another key would recognise none of them.
 */
export async function erasureKey(folder: string): Promise<Uint8Array> {
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const there = await readKey(folder);
  if (there !== undefined) return there;
  if ((await filesIn(folder)).length > 0) throw keyMissing(folder);
  // of several streamers, the first one makes it
  await createFileOnce(join(folder, KEY), randomBytes(KEY_BYTES), { mode: 0o440 });
  return erasureKey(folder);
}

const filesIn = async (folder: string): Promise<string[]> =>
  (await namesIn(folder)).filter((name) => NAME.test(name));

const keyMissing = (folder: string): Error =>
  new Error(`${join(folder, KEY)} is missing, so nobody knows what was erased: restore it from a backup.`);

async function readKey(folder: string): Promise<Uint8Array | undefined> {
  const key = await readBounded(join(folder, KEY), KEY_BYTES).catch(absent);
  if (key === undefined || key.length === KEY_BYTES) return key;
  throw new Error(`${join(folder, KEY)} is no key of 32 bytes: restore it from a backup.`);
}

/**
 * Writes the file of one erasure. It is durable when the promise resolves, and replaces an earlier state of the same one.
 *
 * @param folder from `erasuresIn`
 */
export async function writeErasure(folder: string, value: Omit<Erasure, 'version'>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const text = `${JSON.stringify({ version: 1, ...value })}\n`;
  await writeFileAtomic(join(folder, `${value.id}.json`), text, { mode: 0o640 });
}

/** One erasure by its id; undefined if there is none. Throws what the file system or the schema says. */
export async function readErasure(folder: string, id: string): Promise<Erasure | undefined> {
  const bytes = await readBounded(join(folder, `${id}.json`), MOST_BYTES).catch(absent);
  return bytes && erasure.parse(JSON.parse(bytes.toString('utf8')));
}

export interface Erasures {
  /**
   * Reads what is new, and answers whether anything is. To be called before `has`. Throws where a file cannot be read: then
   * nothing is taken for allowed.
   */
  refresh(): Promise<boolean>;
  /** Whether any erasure covers it. */
  has(kind: Exclude<MarkKind, 'labels'>, value: string | undefined): boolean;
  hasLabels(labels: {
    readonly project: string;
    readonly subject: string;
    readonly session: string;
  }): boolean;
}

/** Reads the erasures of a folder, which need not exist yet. Call `refresh` first: nothing is known before it. */
export function openErasures(folder: string): Erasures {
  const files = new Map<string, { readonly seen: string; readonly marks: ReadonlySet<string> }>();
  let key: Uint8Array | undefined;
  const marked = (kind: MarkKind, ...values: readonly string[]): boolean => {
    if (key === undefined) return false;
    const mark = markOf(key, kind, ...values);
    return [...files.values()].some(({ marks }) => marks.has(mark));
  };
  return {
    async refresh() {
      const names = await filesIn(folder);
      if (names.length > 0) key ??= await readKey(folder);
      if (names.length > 0 && key === undefined) throw keyMissing(folder);
      let news = false;
      for (const name of files.keys()) if (!names.includes(name)) files.delete(name);
      for (const name of names) {
        const seen = await stampOf(join(folder, name));
        if (seen === undefined || files.get(name)?.seen === seen) continue;
        const read = await readErasure(folder, NAME.exec(name)?.[1] ?? '');
        if (read === undefined) continue;
        files.set(name, { seen, marks: new Set(read.marks) });
        news = true;
      }
      return news;
    },
    has: (kind, value = '') => value.trim() !== '' && marked(kind, value),
    hasLabels: ({ project, subject, session }) =>
      marked('labels', project, subject) || marked('labels', project, subject, session),
  };
}

/**
 * What a person asked to erase, until it is done: written before anything is removed, with what was found, so that a streamer
 * that takes over goes on. It holds the labels; it is gone when they are gone.
 */
import { mkdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder, readBounded, writeFileAtomic, absent, namesIn } from '@scanflow/runtime';
import { z } from 'zod';

const MOST_BYTES = 256 * 1024 * 1024;

const found = z.object({
  id: z.string(),
  /** Series of Orthanc's that were joined with it. */
  parts: z.array(z.string()).readonly().default([]),
  session: z.string().optional(),
  /** Folders in project storage and in the copy. */
  paths: z.array(z.string()).readonly(),
  copies: z.array(z.string()).readonly(),
  /** Labels under which a dataset may still have it: a person moved it from there. */
  former: z
    .array(z.object({ project: z.string(), subject: z.string(), session: z.string() }))
    .readonly()
    .default([]),
});

const intent = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  project: z.string(),
  subject: z.string(),
  session: z.string().optional(),
  by: z.string(),
  reason: z.string(),
  asked: z.string(),
  series: z.array(found).readonly(),
  /** Accession numbers and Study Instance UIDs of the subject's bookings and images. */
  accessions: z.array(z.string()).readonly(),
  studies: z.array(z.string()).readonly(),
  removed: z.record(z.string(), z.number()),
  /** What blocks the erasure, or what it waits for. */
  waits: z.array(z.string()),
});

export type Intent = z.infer<typeof intent>;
export type Found = z.infer<typeof found>;

const folderIn = (data: string): string => join(data, 'streamer', 'erasing');

/** On disk when it resolves. */
export async function writeIntent(data: string, value: Omit<Intent, 'version'>): Promise<void> {
  const folder = folderIn(data);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAtomic(join(folder, `${value.id}.json`), `${JSON.stringify({ version: 1, ...value })}\n`, {
    mode: 0o600,
  });
}

/** The oldest first. */
export async function intents(data: string): Promise<Intent[]> {
  const folder = folderIn(data);
  const all: Intent[] = [];
  for (const name of (await namesIn(folder)).filter((one) => /^[0-9a-f]{16}\.json$/.test(one)))
    all.push(intent.parse(JSON.parse((await readBounded(join(folder, name), MOST_BYTES)).toString('utf8'))));
  return all.toSorted((a, b) => (a.asked < b.asked ? -1 : 1));
}

export async function dropIntent(data: string, id: string): Promise<void> {
  // another streamer may have done the same
  await unlink(join(folderIn(data), `${id}.json`)).catch(absent);
  await fsyncFolder(folderIn(data));
}

/** Series of the scanner that come under many Study or Series UIDs, for a streamer that joins them. */
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { run } from '@scanflow/testkit';
import { bookingRecord, makeRig, phantom, scratch, type Rig } from './streamer-support.ts';

export const IMAGES = 30;
const ARRIVALS = { quiet: '1500ms', poll: '100ms' };

interface Wanted {
  readonly joins?: boolean;
  readonly destinations?: Record<string, number>;
  /** Further keys of the configuration. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export async function rigWith(
  t: TestContext,
  { joins = true, destinations = {}, extra = {} }: Wanted = {},
): Promise<Rig> {
  const note = join(await scratch(t), 'runs');
  const rig = await makeRig(t, {
    destinations,
    extra: {
      arrivals: { ...ARRIVALS, ...(joins ? { join: {} } : {}) },
      sessions: { quiet: '500ms' },
      ...extra,
      hooks: { count: { on: ['stored'], command: ['/bin/sh', '-c', 'echo x >>"$1"', 'sh', note] } },
    },
  });
  await appendFile(note, '');
  notes.set(rig, note);
  for (const accessionNumber of ['ACC1', 'ACC2']) await rig.book(bookingRecord({ accessionNumber }));
  await rig.start();
  return rig;
}
const notes = new WeakMap<Rig, string>();
export const runs = async (rig: Rig): Promise<number> =>
  (await readFile(notes.get(rig) ?? '', 'utf8')).split('\n').filter((line) => line !== '').length;

/** A series of the booked subject; each of its images gets UIDs of its own. */
export async function split(
  rig: Rig,
  folder: string,
  what: 'study' | 'series' | 'both' | 'none',
  over: Partial<Parameters<typeof phantom>[1]> = {},
): Promise<string[]> {
  const { files } = await phantom(join(rig.folder, folder), {
    images: IMAGES,
    rows: 16,
    columns: 16,
    accession: 'ACC1',
    patientId: '3010000.02_sub-007',
    studyId: 'ses-mri02',
    ...over,
  });
  const options = [
    ...(what === 'study' || what === 'both' ? ['-gst'] : []),
    ...(what === 'series' || what === 'both' ? ['-gse'] : []),
  ];
  if (options.length > 0) for (const file of files) await run('dcmodify', ['-nb', ...options, file]);
  return files;
}

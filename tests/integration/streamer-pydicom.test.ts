/** Every DICOM file that Debian's python3-pydicom ships, through Orthanc and the streamer: what became of each. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { inflateFile, removeSplice } from '@scanflow/dicom';
import { until } from '@scanflow/testkit';
import { folderOf, recordOf, TAG, verifyManifest } from './streamer-verify.ts';
import { makeRig, settled, type Rig } from './streamer-support.ts';

const FILES = '/usr/lib/python3/dist-packages/pydicom/data/test_files';

interface Row {
  readonly file: string;
  readonly bytes: Buffer;
  outcome: 'tagged' | 'untagged' | 'refused by Orthanc' | 'pending';
  why: string;
}

/** Directories, texts and files broken so that Orthanc 1.10.1 does not take them; a newer one may take some. */
const MAY_BE_REFUSED: ReadonlySet<string> = new Set([
  'MR_truncated.dcm',
  'SC_rgb_jpeg.dcm',
  'UN_sequence.dcm',
  'dicomdirtests/DICOMDIR',
  'dicomdirtests/DICOMDIR-bigEnd',
  'dicomdirtests/DICOMDIR-empty.dcm',
  'dicomdirtests/DICOMDIR-implicit',
  'dicomdirtests/DICOMDIR-nooffset',
  'dicomdirtests/DICOMDIR-nopatient',
  'dicomdirtests/DICOMDIR-reordered',
  'dicomdirtests/TINY_ALPHA/DICOMDIR',
  'dicomdirtests/TINY_ALPHA/README',
  'empty_charset_LEI.dcm',
  'meta_missing_tsyntax.dcm',
  'nested_priv_SQ.dcm',
  'no_meta.dcm',
  'no_meta_group_length.dcm',
  'priv_SQ.dcm',
  'rtplan_truncated.dcm',
]);

test(
  'streamer: every DICOM file of python3-pydicom is stored byte for byte, or refused with a reason',
  { skip: existsSync(FILES) ? false : 'python3-pydicom is not installed' },
  async (t) => {
    // several files are one instance in different encodings: each gets its turn
    const rig = await makeRig(t, {
      orthanc: { overwrite: true },
      quiet: '1s',
      unmatched: 'all/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm',
    });
    await rig.start();
    const rows: Row[] = [];
    for (const file of await dicomFiles(FILES))
      rows.push({ file: relative(FILES, file), bytes: await readFile(file), outcome: 'pending', why: '' });
    for (let queue = rows; queue.length > 0;) {
      const underway = new Map<string, Row>();
      const again: Row[] = [];
      for (const row of queue) {
        const { status, body } = await rig.orthanc.upload(row.bytes);
        const { ID: id, Message: message } = body as { ID?: string; Message?: string };
        if (status !== 200 || id === undefined) {
          row.outcome = 'refused by Orthanc';
          row.why = `${status} ${message ?? ''}`;
          continue;
        }
        const overwritten = underway.get(id);
        if (overwritten !== undefined) again.push(overwritten);
        underway.set(id, row);
      }
      await until(async () => allStored(rig, underway), {
        what: `${underway.size} files are stored\n${rig.streamer().output()}`,
        timeoutMs: 90_000,
        everyMs: 500,
      });
      queue = again;
    }
    const table = rows.map(({ file, outcome, why }) => `${outcome.padEnd(18)} ${file}  ${why}`).sort();
    for (const line of table) t.diagnostic(line);
    const of = (outcome: Row['outcome']): Row[] => rows.filter((row) => row.outcome === outcome);
    t.diagnostic(
      `${rows.length} files: ${of('tagged').length} tagged, ${of('untagged').length} kept untagged, ` +
        `${of('refused by Orthanc').length} refused by Orthanc`,
    );
    const untagged = of('untagged').filter(({ file }) => !MAY_BE_REFUSED.has(file));
    assert.deepEqual(untagged, [], 'what Orthanc takes is tagged');
    const refused = of('refused by Orthanc').filter(({ file }) => !MAY_BE_REFUSED.has(file));
    assert.deepEqual(refused, []);
    assert.equal(of('tagged').length + of('untagged').length + of('refused by Orthanc').length, rows.length);
    for (const series of await settled(rig, ((await rig.orthanc.get('/series')) as string[]).length))
      await verifyManifest(folderOf(series));
  },
);

/** Looks for each file's bytes among what was stored, and notes what became of it. */
async function allStored(rig: Rig, underway: ReadonlyMap<string, Row>): Promise<true | undefined> {
  const open = new Map([...underway].filter(([, { outcome }]) => outcome === 'pending'));
  for (const series of await rig.series().catch(() => [])) {
    if (open.size === 0) break;
    if (series.state !== 'complete') continue;
    const folder = folderOf(series);
    for (const instance of (await recordOf(folder)).instances) {
      const row = open.get(instance.orthancId);
      const md5 = row === undefined ? '' : createHash('md5').update(row.bytes).digest('hex');
      if (row === undefined || instance.original.md5 !== md5) continue;
      const stored = await readFile(join(folder, instance.file));
      const bare = Buffer.from(instance.tagged ? removeSplice(stored, TAG) : inflateFile(stored));
      assert.ok(
        bare.equals(inflateFile(row.bytes)),
        `${row.file}: without the tag it is not what was uploaded`,
      );
      row.outcome = instance.tagged ? 'tagged' : 'untagged';
      row.why = instance.untagged?.code ?? '';
      open.delete(instance.orthancId);
    }
  }
  return open.size === 0 ? true : undefined;
}

async function dicomFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.(txt|json|dump|gz|py)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

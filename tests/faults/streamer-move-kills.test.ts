/** A move ended by SIGKILL at each of its moments: started again, the series is at one place, whole, and sent from there. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { startStorescp, until } from '@scanflow/testkit';
import { folderOf, verifyForwarded, verifyStored } from '../integration/streamer-verify.ts';
import { makeRig, phantom, scratch, sendTo, settled } from '../integration/streamer-support.ts';

const IMAGES = 12;
const THERE = '3010000.09/raw/sub-009/ses-mri09/001-phantom_mr';

const MOMENTS: readonly (readonly [at: string, nth: number, what: string])[] = [
  ['folder-claimed', 2, 'after the new folder was claimed, before any image'],
  ['image-moved', 5, 'after some images are at the new place'],
  ['moved-record-written', 1, 'after the new record, before the decision is kept'],
  ['decision-noted', 1, 'after Orthanc has the decision, before project storage has it'],
  ['decision-kept', 1, 'after the decision is kept, before the ledger has the new place'],
  ['series-moved', 1, 'after the ledger has the new place, before anything of the old one goes'],
  ['old-image-removed', 5, 'while images of the old folder go'],
  ['old-record-removed', 1, 'after the old record, before the ledger knows'],
  ['series-left', 1, 'after all is done'],
];

for (const [at, nth, what] of MOMENTS)
  test(`move: killed ${what}`, async (t) => {
    const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
    t.after(() => scp.stop());
    const rig = await makeRig(t, { destinations: { pacs: scp.port } });
    const doomed = await rig.start({ at, nth });
    const { folder } = await phantom(join(rig.folder, 'mr'), { images: IMAGES });
    await sendTo(rig.orthanc, folder);
    const [series] = await settled(rig, 1, ['complete']);
    await rig
      .api(`/api/series/${series?.id ?? ''}/move`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          project: '3010000.09',
          subject: 'sub-009',
          session: 'ses-mri09',
          reason: 'wrong item',
        }),
      })
      .catch(() => undefined);
    await until(() => doomed.exited(), { what: `the streamer dies at ${at}`, timeoutMs: 60_000 });
    assert.equal(await readFile(join(rig.folder, 'killed'), 'utf8'), `${at} ${nth}\n`, doomed.output());
    await rig.start();
    const moved = await until(
      async () => {
        const [one] = await settled(rig, 1, ['complete']);
        return one !== undefined && relative(rig.root, folderOf(one)) === THERE ? one : undefined;
      },
      { what: 'it is moved', timeoutMs: 60_000 },
    );
    assert.equal(await verifyStored(rig, moved), IMAGES);
    assert.equal(await verifyForwarded([folderOf(moved)], await scp.files()), IMAGES);
    const files = await readdir(rig.root, { recursive: true });
    assert.equal(files.filter((file) => file.endsWith('.dcm')).length, IMAGES, 'images are at two places');
    assert.deepEqual(await readdir(join(rig.root, '3010000.01')), []);
  });

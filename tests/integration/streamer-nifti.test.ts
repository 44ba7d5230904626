/** The example hook with dcm2niix, and series that have no images. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataSet, encodePart10 } from '@scanflow/dicom';
import { until } from '@scanflow/testkit';
import { folderOf } from './streamer-verify.ts';
import { makeRig, settled, type Rig } from './streamer-support.ts';

const page = async <T>(rig: Rig, path: string): Promise<T> => (await (await rig.api(path)).json()) as T;

/** SOP classes without an image, as scanners and workstations send them. */
const NO_IMAGES = {
  spectroscopy: ['1.2.840.10008.5.1.4.1.1.4.2', 'MR'],
  'CSA non-image': ['1.3.12.2.1107.5.9.1', 'MR'],
  report: ['1.2.840.10008.5.1.4.1.1.88.22', 'SR'],
  structures: ['1.2.840.10008.5.1.4.1.1.481.3', 'RTSTRUCT'],
  'presentation state': ['1.2.840.10008.5.1.4.1.1.11.1', 'PR'],
  'raw data': ['1.2.840.10008.5.1.4.1.1.66', 'MR'],
} as const;

test('nifti: the example has nothing to convert of a series without images; an MR image without pixels fails', async (t) => {
  const script = join(import.meta.dirname, '../../docs/examples/to-nifti.sh');
  const hooks = { nifti: { on: ['stored'], retries: 0, command: [script, '{folder}'] } };
  const rig = await makeRig(t, { extra: { cleanup: { after: '500ms' }, hooks } });
  await rig.start();
  const all = { ...NO_IMAGES, broken: ['1.2.840.10008.5.1.4.1.1.4', 'MR'] as const };
  for (const [index, [description, [sopClassUid, modality]]] of Object.entries(all).entries()) {
    const sopInstanceUid = `1.2.3.${index + 1}`;
    const body = dataSet({
      SOPClassUID: sopClassUid,
      SOPInstanceUID: sopInstanceUid,
      Modality: modality,
      Manufacturer: 'SIEMENS',
      PatientID: '3010000.01_sub-001',
      StudyID: 'ses-mri01',
      StudyInstanceUID: '1.2',
      SeriesInstanceUID: `1.2.${index + 1}`,
      SeriesNumber: index + 1,
      SeriesDescription: description,
      InstanceNumber: 1,
    });
    const bytes = encodePart10(body, { transferSyntax: '1.2.840.10008.1.2.1', sopClassUid, sopInstanceUid });
    assert.equal((await rig.orthanc.upload(bytes)).status, 200);
  }
  const told = await until(
    async () => {
      const shown = (
        await page<{ series: (Shown & { seriesDescription: string })[] }>(rig, '/api/series').catch(() => ({
          series: [],
        }))
      ).series;
      return shown.length === 7 &&
        shown.every((one) => one.cleaned !== undefined || one.notCleaned?.code === 'HOOK_EXIT')
        ? shown
        : undefined;
    },
    { what: 'six are through, and one is held up', timeoutMs: 60_000 },
  );
  for (const { seriesDescription, notCleaned } of told)
    assert.equal(
      notCleaned?.code,
      seriesDescription === 'broken' ? 'HOOK_EXIT' : undefined,
      seriesDescription,
    );
  const outputs = (await page<{ hooks: { output: string; state: string }[] }>(rig, '/api/hooks')).hooks;
  assert.equal(outputs.filter(({ output }) => output.includes('nothing to convert')).length, 6);
  const [spectroscopy] = await settled(rig, 7, ['complete']);
  assert.ok(spectroscopy !== undefined);
  const beside = await readdir(join(folderOf(spectroscopy), '..'));
  assert.deepEqual(
    beside.filter((name) => name.includes('nifti')),
    [],
    'something is left',
  );
});

interface Shown {
  readonly cleaned?: string;
  readonly notCleaned?: { readonly code: string };
}

/** From a booking to a valid BIDS dataset in containers (COMPOSE_PROFILES=bids), judged by dcm2niix, the validator and sha256sum there. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { BidsResult } from '@scanflow/bids';
import { dataSet } from '@scanflow/dicom';
import { makeCalendar, mrSession, storescu, until, writeMrSession, type MrWhat } from '@scanflow/testkit';
import { assertHardened, findscu, orLogs } from '../checks.ts';
import { impatientConfig, Project, whyNot } from '../engine.ts';

const ZONE = 'Europe/Amsterdam';
const SERIES: readonly MrWhat[] = ['localiser', 't1w', 'epi AP', 'epi PA', 'bold aborted', 'bold', 'dwi'];
const DATASET = '/project/3010000.01/bids';
const NAMES = [
  'anat/sub-001_ses-mr01_T1w',
  'dwi/sub-001_ses-mr01_dir-AP_dwi',
  'fmap/sub-001_ses-mr01_dir-AP_epi',
  'fmap/sub-001_ses-mr01_dir-PA_epi',
  'func/sub-001_ses-mr01_task-rest_bold',
];

interface Answer {
  readonly sessions: readonly { readonly bids?: { readonly state: string; readonly result?: BidsResult } }[];
}

suite('BIDS in containers', { skip: await whyNot() }, () => {
  let stack: Project;
  let config: string;
  before(async () => {
    stack = await Project.create('bids', ['compose.yaml']);
    stack.env['COMPOSE_PROFILES'] = 'bids';
    config = await impatientConfig('scanflow.yaml', '\nsessions: { quiet: 2s }\nbids: {}\n');
    stack.env['SCANFLOW_CONFIG'] = config;
    const now = Temporal.Now.zonedDateTimeISO(ZONE).round('minute');
    const slot = { start: now.subtract({ minutes: 20 }), end: now.add({ minutes: 40 }) };
    const booked = { ...slot, uid: 'bids@test.scanflow', summary: '3010000.01 sub-001 ses-mr01' };
    await writeFile(join(config, 'calendars/prisma.ics'), makeCalendar([booked]));
    await stack.compose('build');
    await orLogs(stack, () => stack.compose('up', '--detach', '--wait'));
  });
  after(async () => {
    await stack.down();
    assert.deepEqual(await stack.remains(), [], 'nothing is left');
    await rm(config, { recursive: true });
  });

  const sh = (service: string, script: string): Promise<string> => stack.exec(service, 'sh', '-c', script);

  test('the service is hardened, and reaches nobody outside of the stack', async () => {
    const container = await stack.inspect('bids');
    assertHardened('bids', container);
    assert.equal(container.State.Health?.Status, 'healthy');
    assert.deepEqual(
      container.Mounts.filter(({ RW }) => RW).map(({ Destination }) => Destination),
      ['/project'],
    );
    const reach =
      "fetch('http://1.1.1.1', { signal: AbortSignal.timeout(3000) }).then(() => 'out', () => 'shut').then(console.log)";
    assert.equal((await stack.exec('bids', 'node', '-e', reach)).trim(), 'shut');
  });

  test('booking, worklist, scan, stored, BIDS valid', async () => {
    const item = await until(
      async () =>
        /\(0008,0050\) SH \[([^\]]+)\]/.exec(await findscu(stack.ports.worklist, 'PRISMA'))?.[1]?.trim(),
      { what: 'the booking is on the worklist', timeoutMs: 60_000, everyMs: 500 },
    );
    const folder = await mkdtemp(join(tmpdir(), 'scanflow-scanned-'));
    const when = Temporal.Now.zonedDateTimeISO(ZONE).subtract({ minutes: SERIES.length });
    const worklistItem = dataSet({ AccessionNumber: item });
    const scanned = { when, patientId: '3010000.01_sub-001', worklistItem };
    await writeMrSession(folder, mrSession({ series: SERIES }), scanned);
    await storescu({ port: stack.ports.dicom, calledAet: 'ORTHANC', callingAet: 'PRISMA' }, [folder]);
    await rm(folder, { recursive: true });
    const result = await until(
      async () => {
        const response = await stack.ask(stack.ports.streamer, '/api/bids');
        const { sessions } = (await response.json()) as Answer;
        return sessions.find(({ bids }) => bids?.state === 'done')?.bids?.result;
      },
      { what: 'the session has its verdict', timeoutMs: 90_000, everyMs: 500 },
    );
    assert.deepEqual([result.verdict, result.errors, result.dataset], ['valid', [], DATASET]);
    assert.equal(result.counts.converted, 5);
  });

  test("judged by others: the validator's verdict, dcm2niix's own images, sha256sum", async () => {
    const names = await sh('bids', `cd ${DATASET}/sub-001/ses-mr01 && find . -name '*.nii.gz' | sort`);
    assert.deepEqual(
      names.trim().split('\n'),
      NAMES.map((name) => `./${name}.nii.gz`),
    );
    const validator = '/app/services/bids/validator/node_modules/bids-validator/bin/bids-validator';
    const verdict = JSON.parse(await sh('bids', `node ${validator} ${DATASET} --json || true`)) as {
      issues: { errors: unknown[] };
    };
    assert.deepEqual(verdict.issues.errors, []);
    // the same images by hand
    const raw = '/project/3010000.01/raw/sub-001/ses-mr01';
    const byHand = await sh(
      'bids',
      `cd /tmp && mkdir hand && for s in ${raw}/*/; do dcm2niix -z n -b n -f "$(basename "$s")" -o hand "$s" >/dev/null; done; cd hand && sha256sum *.nii`,
    );
    const sums = new Set(byHand.match(/^[0-9a-f]{64}/gm));
    for (const name of NAMES) {
      const file = `${DATASET}/sub-001/ses-mr01/${name}.nii.gz`;
      const sum = (await sh('bids', `gzip -dc ${file} | sha256sum`)).slice(0, 64);
      assert.ok(sums.has(sum), `${name} is no image of dcm2niix:\n${byHand}`);
    }
    // the record of the dataset, and the manifests of the stored images
    const record = JSON.parse(
      await stack.exec('bids', 'cat', `${DATASET}/.scanflow/sub-001_ses-mr01.json`),
    ) as {
      readonly series: readonly {
        readonly files: readonly { readonly path: string; readonly sha256: string }[];
      }[];
    };
    const files = record.series.flatMap((series) => series.files);
    assert.ok(files.length >= 2 * NAMES.length);
    const list = files.map(({ path, sha256 }) => `${sha256}  ${path}`).join('\n');
    const checked = await sh('bids', `cd ${DATASET} && printf '%s\n' '${list}' | sha256sum -c`);
    assert.equal(checked.match(/: OK$/gm)?.length, files.length, checked);
    await sh(
      'streamer',
      `for m in $(find ${raw} -name manifest-sha256.txt); do (cd "$(dirname "$m")" && sha256sum --quiet -c manifest-sha256.txt) || exit 1; done`,
    );
    const report = await sh('streamer', `cat $(find /project -name 'scanflow-report-*.csv')`);
    assert.match(report, /,"?valid/);
  });
});

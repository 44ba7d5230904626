/** Two receivers in front of one Orthanc, behind a real HAProxy with the configuration of docs/scale.md: each is killed while scanners send. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyEdits, planSplice } from '@scanflow/dicom';
import { store } from '@scanflow/dimse';
import { dcmtk, freePort, makeAuthority, run, until } from '@scanflow/testkit';
import { from, PROXY, skip, startHaproxy } from './haproxy-support.ts';
import { dataSetHash, hashOf, startRig, storedHashes, writeImages } from './receiver-support.ts';
import { makeRig, phantom, settled } from './streamer-support.ts';
import { startReceiver } from './streamer-versions-support.ts';

const SENDERS = 6;
/** So many of them are storescu; the others are our own SCU, each at an address of its own. */
const BY_STORESCU = 2;
const IMAGES = 60;
const PATIENCE_MS = 60_000;
/** Images of each round that Orthanc has when a receiver is killed. */
const KILLED_AT = 40;
const TAG = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' } as const;

/** A scanner sends its images, and all of them again until each was taken; how often that was. */
async function sendsUntilTaken(send: () => Promise<boolean>): Promise<number> {
  const until = performance.now() + PATIENCE_MS;
  for (let turn = 1; performance.now() < until; turn += 1) if (await send()) return turn;
  throw new Error(`no receiver took the images for ${PATIENCE_MS} ms`);
}

/** Whether all were taken. */
async function byStorescu(port: number, aet: string, files: readonly string[]): Promise<boolean> {
  const called = ['-aet', aet, '-aec', 'ORTHANC', '127.0.0.1', String(port), ...files];
  const { code } = await dcmtk('storescu', called, { timeoutMs: 120_000 });
  return code === 0;
}

async function byOurs(
  port: number,
  aet: string,
  address: string,
  files: readonly string[],
): Promise<boolean> {
  const peer = { host: '127.0.0.1', port, calledAet: 'ORTHANC', callingAet: aet, dial: from(address) };
  const items = files.map((path) => ({ id: path, path }));
  const outcomes = await Array.fromAsync(store(peer, items, { operations: 1 }));
  return outcomes.length === files.length && outcomes.every(({ result }) => result === 'sent');
}

/** What project storage has to hold of a file: its data set with the private tag. */
async function tagged(path: string): Promise<string> {
  const file = await readFile(path);
  const plan = planSplice(file, TAG, true);
  assert.ok(plan.kind === 'splice');
  return dataSetHash(applyEdits(file, plan.edits));
}

test(
  'two receivers behind HAProxy: each is killed in turn while six senders send; nothing is lost, and nothing doubled',
  { skip },
  async (t) => {
    const rules = { proxies: [PROXY], access: { MR6: { addresses: ['127.0.1.6'] } } };
    const scanners = Object.fromEntries(
      Array.from({ length: SENDERS }, (_, at) => [`mr${at + 1}`, { aet: `MR${at + 1}`, modality: 'MR' }]),
    );
    const rig = await makeRig(t, { extra: { scanners } });
    await rig.start();
    const doors = [
      await startReceiver(t, rig, rig.orthanc.url, rules),
      await startReceiver(t, rig, rig.orthanc.url, rules),
    ] as const;
    const port = await startHaproxy(t, rig.folder, 'receiver', [doors[0].port, doors[1].port]);
    const have = async (): Promise<number> => ((await rig.orthanc.get('/instances')) as string[]).length;
    const sent: string[] = [];
    for (const [round, door] of doors.entries()) {
      const before = await have();
      const sending = Array.from({ length: SENDERS }, async (_, at) => {
        const [aet, address] = [`MR${at + 1}`, `127.0.1.${at + 1}`];
        const seed = 1 + round * SENDERS + at;
        const { files } = await phantom(join(rig.folder, `images-${seed}`), { images: IMAGES, seed });
        sent.push(...files);
        return sendsUntilTaken(() =>
          at < BY_STORESCU ? byStorescu(port, aet, files) : byOurs(port, aet, address, files),
        );
      });
      const begun = async (): Promise<boolean> => (await have()) >= before + KILLED_AT;
      await until(begun, { what: 'the scanners send', timeoutMs: 60_000, everyMs: 20 });
      await door.program().stop('SIGKILL');
      const turns = await Promise.all(sending);
      t.diagnostic(`receiver ${round + 1} killed: the senders sent ${turns.join(', ')} times`);
      assert.ok(Math.max(...turns) > 1, 'a scanner had to send again');
      await door.start();
      const answers = async (): Promise<boolean> => (await door.offer(sent[0] ?? '')) === 0;
      await until(answers, { what: 'it is back', timeoutMs: 60_000 });
    }
    const series = await settled(rig, 2 * SENDERS, ['complete'], 120_000);
    const stored = (await readdir(rig.root, { recursive: true })).filter((name) => name.endsWith('.dcm'));
    const kept = await Promise.all(stored.map((name) => hashOf(join(rig.root, name))));
    const wanted = await Promise.all(sent.map(tagged));
    assert.deepEqual(kept.sort(), wanted.sort());
    t.diagnostic(`${wanted.length} images sent, ${kept.length} stored, the same`);
    for (const name of await readdir(rig.root, { recursive: true }))
      if (name.endsWith('manifest-sha256.txt')) {
        const cwd = join(rig.root, name, '..');
        const check = await run('sha256sum', ['-c', '--strict', '--quiet', 'manifest-sha256.txt'], { cwd });
        assert.equal(check.code, 0, check.stdout);
      }
    // who sent it, by its own address
    const addresses = await Promise.all(
      series.map(async ({ id }) => {
        const sender = await (await rig.orthanc.request(`/series/${id}/metadata/5101`)).text();
        return (JSON.parse(sender) as { address: string }).address;
      }),
    );
    assert.deepEqual([...new Set(addresses)].sort(), [
      '127.0.0.1',
      ...Array.from({ length: SENDERS - BY_STORESCU }, (_, at) => `127.0.1.${at + 1 + BY_STORESCU}`),
    ]);
    assert.deepEqual(await readdir(join(rig.data, 'receiver')).catch(() => []), []);
  },
);

test(
  'a receiver behind HAProxy: TLS passes through with the scanner known by its address, and a proxy that says nothing is refused',
  { skip },
  async (t) => {
    const rig = await startRig(t);
    const authority = await makeAuthority(join(rig.folder), 'ca');
    const { key, certificate } = await authority.issue('receiver');
    const tlsPort = await freePort();
    await rig.receiver().stop();
    await rig.configure({
      receiver: {
        proxies: [PROXY],
        access: { PRISMA: { addresses: ['127.0.0.1'] } },
        tls: { port: tlsPort, key, certificate },
      },
    });
    await rig.start();
    const port = await startHaproxy(t, rig.folder, 'receiver', [tlsPort, tlsPort]);
    const files = await writeImages(join(rig.folder, 'images'), 3);
    const called = ['-aet', 'PRISMA', '-aec', 'ORTHANC', '+tla', '+cf', authority.certificate];
    const sending = () => dcmtk('storescu', [...called, '127.0.0.1', String(port), ...files]);
    await until(async () => (await sending()).code === 0, { what: 'TLS passes', timeoutMs: 20_000 });
    assert.deepEqual(await storedHashes(rig), (await Promise.all(files.map(hashOf))).sort());
    const { admitted } = (await rig.api('/api/senders')) as { admitted: { address: string }[] };
    assert.deepEqual([...new Set(admitted.map(({ address }) => address))], ['127.0.0.1']);

    const silent = { host: '127.0.0.1', port: rig.port, calledAet: 'ORTHANC', callingAet: 'PRISMA' };
    const [outcome] = await Array.fromAsync(
      store({ ...silent, dial: from(PROXY) }, [{ id: 'one', path: files[0] ?? '' }]),
    );
    assert.equal(outcome?.result, 'failed');
    const metrics = async () => (await fetch(`${rig.url}/metrics`)).text();
    const rejections = (await metrics()).match(/^scanflow_receiver_rejections_total\{.*$/gm);
    // of HAProxy's checks, one each second on the port with TLS, none counts
    assert.deepEqual(rejections, ['scanflow_receiver_rejections_total{reason="proxy"} 1']);
    await rig.receiver().said(/connection\.proxy-failed/);
  },
);

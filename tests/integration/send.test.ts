/** `scanflow send` as a person runs it, with storescp's files and a scripted SCP as the judges. */
import { strict as assert } from 'node:assert';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { freePort, makeAuthority, startStorescp } from '@scanflow/testkit';
import { tar, zip, type Entry } from './send-archives.ts';
import {
  assertReceived,
  dataSetOf,
  folder,
  images,
  json,
  scripted,
  send,
  storescp,
  to,
  written,
  type Images,
} from './send-support.ts';

test('send: a folder arrives with the tag, and without it byte for byte; other files are counted', async (t) => {
  const all = images(5);
  const root = await written(t, all);
  await writeFile(join(root, 'notes.txt'), 'no image');
  await symlink(root, join(root, 'deeper', 'loop'));
  const tagged = await storescp(t);
  const first = await send(root, ...to(tagged), '--json');
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual([json(first).sent, json(first).skipped, json(first).failed], [5, 1, 0]);
  await assertReceived(tagged, all, true);
  const plain = await storescp(t);
  const second = await send(root, ...to(plain), '--tag', 'none');
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, /5 images sent .*, 1 skipped: not DICOM/);
  await assertReceived(plain, all);
});

test('send: data sets without file meta information arrive with the tag', async (t) => {
  const all = images(3);
  const bare = new Map([...all].map(([uid, bytes]) => [uid, dataSetOf(bytes)]));
  const scp = await storescp(t);
  const result = await send(await written(t, bare), ...to(scp), '--json');
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual([json(result).sent, json(result).skipped, json(result).failed], [3, 0, 0]);
  await assertReceived(scp, all, true);
});

/** Names that lead out of a folder, were they believed. */
const entriesOf = (all: Images): Entry[] => [
  ...[...all.values()].map((bytes, index) => ({ name: `../../../tmp/send-escape-${index}.dcm`, bytes })),
  { name: '/etc/send-escape', bytes: Buffer.from('no image') },
];

for (const kind of ['tar', 'tgz', 'zip'] as const)
  test(`send: a .${kind} arrives byte for byte, whatever names are in it`, async (t) => {
    // one that is too large to be held in memory among them
    const [[uid, first] = ['', new Uint8Array()], ...others] = images(4);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(3_000_000);
    // Data Set Trailing Padding (FFFC,FFFC)
    const padding = [Buffer.from('fcfffcff4f420000', 'hex'), length, Buffer.alloc(3_000_000, 'abcdefg')];
    const padded = Buffer.concat([first, ...padding]);
    const all = new Map([[uid, padded], ...others]);
    const root = await folder(t);
    const path = join(root, `archive.${kind}`);
    const entries = entriesOf(all);
    const archived = kind === 'zip' ? zip(entries) : await tar(entries);
    await writeFile(path, kind === 'tgz' ? gzipSync(archived) : archived);
    const scp = await storescp(t);
    const result = await send(path, ...to(scp), '--tag', 'none', '--json');
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.deepEqual([json(result).sent, json(result).skipped], [4, 1]);
    assert.equal(json(result).series[0]?.filename, `archive.${kind}`);
    await assertReceived(scp, all);
    const escaped = (await readdir('/tmp')).filter((name) => name.startsWith('send-escape'));
    assert.deepEqual(escaped, []);
  });

test('send: bombs and broken archives are told of, and the rest is sent', async (t) => {
  const all = images(2);
  const root = await written(t, all);
  const aside = await folder(t);
  const [bombTar, bombZip, broken] = ['bomb.tgz', 'bomb.zip', 'broken.zip'].map((name) => join(aside, name));
  const zeros: Entry = { name: 'zeros', bytes: Buffer.alloc(100_000_000) };
  await writeFile(bombTar ?? '', gzipSync(await tar([zeros])));
  await writeFile(bombZip ?? '', zip([zeros]));
  const whole = zip(entriesOf(all));
  await writeFile(broken ?? '', whole.subarray(0, whole.length >> 1));
  const scp = await storescp(t);
  const result = await send(
    bombTar ?? '',
    bombZip ?? '',
    broken ?? '',
    root,
    ...to(scp),
    '--tag',
    'none',
    '--json',
  );
  assert.equal(result.code, 1);
  const { troubles } = json(result);
  assert.match(troubles[bombTar ?? ''] ?? '', /more than 200 times its size/);
  assert.match(troubles[bombZip ?? ''] ?? '', /more than 200 times its size/);
  assert.match(troubles[broken ?? ''] ?? '', /cannot be read/);
  await assertReceived(scp, all);
});

test('send: what is refused for now is sent again, and nothing twice', async (t) => {
  const root = await written(t, images(4));
  const scp = await scripted(t, {
    onStore: (count) => (count === 2 ? { status: 0xa700 } : count === 4 ? 'abort' : { status: 0 }),
  });
  const result = await send(root, ...to(scp), '--json', '--retry-time', '60s');
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(
    json(result).series.map(({ images: of, sent, status }) => [of, sent, status]),
    [[4, 4, 'Complete']],
  );
  // four, the refused one again, and the one whose answer was lost
  assert.equal(scp.requests.length, 6);
  assert.match(result.stderr, /tried again in 1 s/);
});

test('send: what is refused for good is in the report, with the reason', async (t) => {
  const root = await written(t, images(3));
  const reports = join(await folder(t), 'made', 'here');
  const scp = await scripted(t, { onStore: (count) => ({ status: count === 1 ? 0xa900 : 0 }) });
  const result = await send(root, ...to(scp), '--report', reports);
  assert.equal(result.code, 1);
  assert.match(
    result.stdout,
    /not sent: .*\.dcm: .* refused the instance: data set does not match the SOP class/,
  );
  const [name = '', ...more] = await readdir(reports);
  assert.deepEqual(more, []);
  assert.match(name, /^dicom-send_report-[A-Za-z0-9.-]+_[A-Za-z0-9.-]+_\d{8}T\d{6}\.csv$/);
  const [head = '', line = ''] = (await readFile(join(reports, name), 'utf8')).split('\r\n');
  assert.equal(head, 'Acquisition ID,Path,Filename,Images in Series,Images Sent,Status');
  assert.match(line, /^2\.25\.\d+,.*,3,2,Incomplete$/);
});

test('send: a DICOM file that breaks off is a failure, not skipped', async (t) => {
  const root = await written(t, images(2));
  const [bytes = new Uint8Array()] = images(1, 3).values();
  await writeFile(join(root, 'broken.dcm'), bytes.subarray(0, 200));
  const scp = await scripted(t, {});
  const result = await send(root, ...to(scp), '--json');
  assert.equal(result.code, 1);
  assert.deepEqual([json(result).sent, json(result).skipped], [2, 0]);
  assert.deepEqual(
    json(result).failures.map(({ code }) => code),
    ['DICOM_BROKEN'],
  );
});

test('send: with nobody there, every series is in the report as failed', async (t) => {
  const root = await written(t, new Map([...images(40), ...images(3, 2)]));
  const result = await send(root, '--to', `X@127.0.0.1:${await freePort()}`, '--retry-time', '0s', '--json');
  assert.equal(result.code, 1);
  const rows = json(result).series.map(({ images: of, sent, status }) => [of, sent, status]);
  assert.deepEqual(rows.sort(), [
    [3, 0, 'Failed'],
    [40, 0, 'Failed'],
  ]);
  assert.deepEqual(new Set(json(result).failures.map(({ code }) => code)), new Set(['DEST_UNREACHABLE']));
});

test('send: over TLS, and not where the certificate is somebody else’s', async (t) => {
  const root = await written(t, images(1));
  const ours = await folder(t);
  const authority = await makeAuthority(ours, 'authority');
  const peer = await authority.issue('peer');
  const scp = await startStorescp({
    folder: await folder(t),
    extra: ['+tls', peer.key, peer.certificate, '-ic'],
  });
  t.after(() => scp.stop());
  const good = await send(root, ...to(scp), '--tls', '--tls-ca', authority.certificate, '--retry-time', '0s');
  assert.equal(good.code, 0, good.stdout + good.stderr);
  const bad = await send(root, ...to(scp), '--tls', '--retry-time', '0s', '--json');
  assert.equal(bad.code, 1);
  assert.match(json(bad).failures[0]?.code ?? '', /^TLS_/);
});

test('send: wrong arguments, missing files and nothing to send are exit code 2', async (t) => {
  const root = await written(t, images(1));
  const empty = await folder(t);
  await writeFile(join(empty, 'notes.txt'), 'no image');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const cases: [RegExp, ...string[]][] = [
    [/--to AET@host:port/, root],
    [/what to send/, '--to', 'A@127.0.0.1:1'],
    [/there is no/, join(root, 'missing'), '--to', 'A@127.0.0.1:1'],
    [/--tag-group/, root, '--to', 'A@127.0.0.1:1', '--tag-group', '0020'],
    [/does not go with --tag none/, root, '--to', 'A@127.0.0.1:1', '--tag', 'none', '--tag-value', 'x'],
    [/goes with --tls/, root, '--to', 'A@127.0.0.1:1', '--tls-ca', 'x'],
    [/--retry-time/, root, '--to', 'A@127.0.0.1:1', '--retry-time', '5'],
  ];
  for (const [message, ...args] of cases) {
    const { code, stderr } = await send(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
  }
  const scp = await storescp(t);
  const nothing = await send(empty, ...to(scp));
  assert.equal(nothing.code, 2);
  assert.match(nothing.stdout, /0 images sent .* 1 skipped/);
});

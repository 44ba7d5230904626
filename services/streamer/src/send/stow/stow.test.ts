/** STOW-RS: whatever a server answers, each instance has exactly one outcome, and silence is no success. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { StoreItem } from '@scanflow/dimse';
import {
  byId,
  each,
  item,
  phantom,
  reason,
  reply,
  short,
  stowRig,
  warning,
  type Received,
  type StowAnswerer,
} from '@scanflow/testkit/stow-rig';
import { stowCarrier, type Authorize, type StowSettings } from './stow.ts';

const NOW = 1_700_000_000_000;
const SMALL: StowSettings = {
  bytes: 1e6,
  instances: 3,
  timeouts: { connect: 60_000, idle: 60_000, response: 60_000 },
};
const nobody: Authorize = () => Promise.resolve(undefined);

interface RigOptions {
  readonly images?: number;
  readonly signal?: AbortSignal;
  readonly settings?: Partial<StowSettings>;
  readonly authorize?: Authorize;
}

const rig = (t: TestContext, answer: StowAnswerer, options: RigOptions = {}) =>
  stowRig(
    t,
    answer,
    (url) =>
      stowCarrier({ kind: 'stow', url }, options.authorize ?? nobody, () => NOW, {
        ...SMALL,
        ...options.settings,
      }),
    options,
  );

test('stow: files go as they are, several in a request, with their length announced', async (t) => {
  const r = await rig(
    t,
    ({ uids }, response) => reply(response, 200, { stored: uids.map((uid) => item(uid)) }),
    {
      images: 5,
      authorize: () => Promise.resolve('Bearer abc'),
    },
  );
  assert.deepEqual(short(await r.send()), Array<string>(5).fill('sent'));
  assert.deepEqual(
    r.received.map(({ uids }) => uids.length),
    [3, 2],
  );
  const [{ request, body }] = r.received as [Received];
  assert.equal(request.method, 'POST');
  assert.equal(request.url, '/dicom-web/studies');
  assert.equal(request.headers.authorization, 'Bearer abc');
  assert.equal(Number(request.headers['content-length']), body.length);
  const boundary = /^multipart\/related; type="application\/dicom"; boundary=(\S+)$/.exec(
    request.headers['content-type'] ?? '',
  )?.[1];
  const expected = r.bytes
    .slice(0, 3)
    .flatMap((bytes, at) => [
      Buffer.from(`${at === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
      bytes,
    ]);
  assert.ok(body.equals(Buffer.concat([...expected, Buffer.from(`\r\n--${boundary}--\r\n`)])));
});

test('stow: refused, stored with a warning and refused for now are told apart', async (t) => {
  const r = await rig(t, ({ uids: [a = '', b = '', c = ''] }, response) =>
    reply(response, 409, {
      stored: [item(a, warning(0xb006))],
      failed: [item(b, reason(0xa900)), item(c, reason(0xa700))],
    }),
  );
  const outcomes = byId(await r.send(), r.uids);
  assert.deepEqual(short(outcomes), ['warning', 'STORE_REFUSED permanent', 'STORE_REFUSED transient']);
  assert.equal(r.received.length, 1);
});

test('stow: an answer in XML is understood', async (t) => {
  const xml = (uids: readonly string[]): string => `<?xml version="1.0"?>
    <NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">
    <DicomAttribute tag="00081198" vr="SQ" keyword="FailedSOPSequence"><Item number="1">
      <DicomAttribute tag="00081155" vr="UI"><Value number="1">${uids[0] ?? ''}</Value></DicomAttribute>
      <DicomAttribute tag="00081197" vr="US"><Value number="1">290</Value></DicomAttribute></Item></DicomAttribute>
    <DicomAttribute tag="00081199" vr="SQ"><Item number="1">
      <DicomAttribute tag="00081150" vr="UI"/>
      <DicomAttribute tag="00081155" vr="UI"><Value number="1">${uids[1] ?? ''}</Value></DicomAttribute></Item>
    </DicomAttribute></NativeDicomModel>`;
  const r = await rig(
    t,
    ({ uids }, response) =>
      response.writeHead(202, { 'content-type': 'application/dicom+xml' }).end(xml(uids)),
    { images: 2 },
  );
  const outcomes = byId(await r.send(), r.uids);
  assert.deepEqual(short(outcomes), ['STORE_REFUSED permanent', 'sent']);
  assert.match(JSON.stringify(outcomes[0]), /SOP class not supported/);
});

test('stow: an instance that the answer does not mention is asked about alone, and never a success', async (t) => {
  let silentFor = '';
  const r = await rig(t, ({ uids }, response) =>
    reply(response, 200, { stored: uids.filter((uid) => uid !== silentFor).map((uid) => item(uid)) }),
  );
  silentFor = r.uids[1] ?? '';
  assert.deepEqual(short(byId(await r.send(), r.uids)), ['sent', 'STOW_UNMENTIONED ambiguous', 'sent']);
  assert.deepEqual(
    r.received.map(({ uids }) => uids.length),
    [3, 1],
  );
});

test('stow: a request that is refused as a whole costs only the instance that is why', async (t) => {
  for (const [status, code] of [
    [400, 'STOW_REFUSED'],
    [413, 'STOW_TOO_LARGE'],
    [415, 'STOW_NOT_SUPPORTED'],
    [409, 'STOW_REFUSED'],
  ] as const) {
    let bad = '';
    const r = await rig(t, ({ uids }, response) => {
      if (uids.includes(bad)) response.writeHead(status).end('no');
      else reply(response, 200, { stored: uids.map((uid) => item(uid)) });
    });
    bad = r.uids[2] ?? '';
    assert.deepEqual(short(byId(await r.send(), r.uids)), ['sent', 'sent', `${code} permanent`]);
  }
});

test('stow: a server that is busy, denies us or is none at all gets nothing more for now', async (t) => {
  const cases: readonly (readonly [number, string, string, number])[] = [
    [503, '', 'STOW_BUSY transient', 3],
    [401, '', 'STOW_DENIED transient', 3],
    [302, '', 'STOW_NOT_THERE transient', 3],
    [404, '', 'STOW_NOT_THERE transient', 3],
    [200, '{"garbage":', 'STOW_UNCLEAR ambiguous', 3],
    [200, '<html><body>Log in</body></html>', 'STOW_UNCLEAR ambiguous', 3],
    [200, '{}', 'STOW_UNCLEAR ambiguous', 3],
  ];
  for (const [status, body, code, first] of cases) {
    const r = await rig(
      t,
      (_, response) => response.writeHead(status, { 'retry-after': '120', location: '/x' }).end(body),
      { images: 5 },
    );
    const outcomes = await r.send();
    assert.deepEqual(short(outcomes.slice(0, first)), Array<string>(first).fill(code));
    assert.deepEqual(
      short(outcomes.slice(first)),
      Array<string>(5 - first).fill(code.replace('ambiguous', 'transient')),
    );
    assert.equal(r.received.length, 1);
    assert.equal(outcomes[0]?.askedMs, 120_000);
  }
});

test('stow: a server that fails over one instance gets the others', async (t) => {
  let bad = '';
  const r = await rig(t, ({ uids }, response) => {
    if (uids.includes(bad)) response.writeHead(500).end();
    else reply(response, 200, { stored: uids.map((uid) => item(uid)) });
  });
  bad = r.uids[0] ?? '';
  assert.deepEqual(short(byId(await r.send(), r.uids)), ['STOW_ERROR transient', 'sent', 'sent']);
});

test('stow: silence, and a connection that ends after all was sent, leave it open what became of it', async (t) => {
  const patient = { connect: 60_000, idle: 60_000, response: 60_000 };
  const cases: readonly (readonly [Partial<typeof patient>, Parameters<typeof rig>[1]])[] = [
    [{ response: 300 }, () => undefined],
    [{}, (_, response) => response.destroy()],
    [
      {},
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"0008');
        response.destroy();
      },
    ],
    [
      { idle: 2_000 },
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"0008');
      },
    ],
  ];
  for (const [limits, answer] of cases) {
    const r = await rig(t, answer, { images: 4, settings: { timeouts: { ...patient, ...limits } } });
    assert.deepEqual(short(await r.send()), [
      ...Array<string>(3).fill('NO_RESPONSE ambiguous'),
      'NO_RESPONSE transient',
    ]);
  }
});

test('stow: nobody there', async (t) => {
  const r = await rig(t, () => undefined);
  const carrier = stowCarrier({ kind: 'stow', url: 'http://127.0.0.1:1' }, nobody, () => NOW);
  t.after(() => carrier.close());
  const { signal } = new AbortController();
  const outcomes = await Array.fromAsync(carrier.send(each(r.items), { signal, calmly: false }));
  assert.deepEqual(short(outcomes), Array<string>(3).fill('DEST_UNREACHABLE transient'));
});

test('stow: a file that changed is not completed there, and the others of its request go', async (t) => {
  const r = await rig(t, ({ uids }, response) =>
    reply(response, 200, { stored: uids.map((uid) => item(uid)) }),
  );
  const [first, second, third] = r.items as [StoreItem, StoreItem, StoreItem];
  const outcomes = await r.send([first, { ...second, sha256: '0'.repeat(64) }, third]);
  assert.deepEqual(short(byId(outcomes, r.uids)), ['sent', 'FILE_CHANGED permanent', 'sent']);
  assert.ok(r.received.every(({ uids }) => !uids.includes(r.uids[1] ?? '')));
});

test('stow: what is no DICOM file, or is not there, is told of and holds up nothing', async (t) => {
  const r = await rig(t, ({ uids }, response) =>
    reply(response, 200, { stored: uids.map((uid) => item(uid)) }),
  );
  const outcomes = await r.send([
    { id: 'none', path: '/nonexistent' },
    { id: 'text', bytes: Buffer.from('text '.repeat(100)) },
    ...r.items,
  ]);
  assert.deepEqual(short(byId(outcomes, ['none', 'text', ...r.uids])), [
    'FILE_UNREADABLE permanent',
    'DICOM_BROKEN permanent',
    'sent',
    'sent',
    'sent',
  ]);
});

test('stow: the same UID twice goes in two requests, as answers know nothing but UIDs', async (t) => {
  const r = await rig(t, ({ uids }, response) =>
    reply(response, 200, { stored: uids.map((uid) => item(uid)) }),
  );
  const [first] = r.items as [StoreItem];
  assert.deepEqual(short(await r.send([first, { ...first, id: 'other' }])), ['sent', 'sent']);
  assert.equal(r.received.length, 2);
});

test('stow: an answer that comes before all was sent counts, and the rest is not sent', async (t) => {
  const server = createServer((_, response) => response.writeHead(413).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const carrier = stowCarrier({ kind: 'stow', url }, nobody, () => NOW, SMALL);
  t.after(() => {
    carrier.close();
    server.closeAllConnections();
    server.close();
  });
  const [{ bytes } = { bytes: new Uint8Array() }] = phantom(1, { rows: 2048, columns: 2048 });
  const { signal } = new AbortController();
  const outcomes = await Array.fromAsync(
    carrier.send(each([{ id: 'big', bytes }]), { signal, calmly: false }),
  );
  assert.deepEqual(short(outcomes), ['STOW_TOO_LARGE permanent']);
});

test('stow: cancelled is transient', async (t) => {
  const stop = new AbortController();
  const r = await rig(t, () => stop.abort(), { signal: stop.signal });
  assert.deepEqual(short(await r.send()), Array<string>(3).fill('CANCELLED transient'));
});

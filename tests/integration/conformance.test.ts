/** docs/conformance.md against the code that it is made from, and against the worklist and the receiver as they run. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run } from '@scanflow/testkit';
import { RawPeer } from '@scanflow/testkit/dimse/raw-peer';
import { startRig } from './receiver-support.ts';
import { AET, scratch, startService, wholeFile, worklistFolder } from './worklist-support.ts';

const root = join(import.meta.dirname, '../..');
const page = await readFile(join(root, 'docs/conformance.md'), 'utf8');

/** Rows of the first table under a heading. */
function rowsUnder(heading: string): string[][] {
  const section = page.slice(page.indexOf(`\n${heading}`));
  const table = /\n(\|.*\|\n)+/.exec(section)?.[0] ?? '';
  const rows = table.trim().split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
const uidsIn = (cell = ''): string[] => cell.match(/\b1\.2\.840\.10008[.\d]+/g) ?? [];

/** Abstract syntax → transfer syntaxes in the order of preference, as the page states them. */
const stated = new Map(
  rowsUnder('#### 7.1.2').map(
    ([abstract, transfer]) => [uidsIn(abstract)[0] ?? '', uidsIn(transfer)] as const,
  ),
);

/** What the page does not list, and some may well ask for. */
const OTHER_ABSTRACT = [
  '1.2.840.10008.5.1.4.1.2.2.1', // Study Root FIND
  '1.2.840.10008.5.1.4.1.2.1.1', // Patient Root FIND
  '1.2.840.10008.5.1.4.1.1.4', // MR Image Storage
  '1.2.840.10008.3.1.2.3.4', // MPPS Retrieve
  '1.2.840.10008.3.1.2.3.5', // MPPS Notification
  '1.2.840.10008.5.1.4.34.6.1', // UPS Push
  '1.2.840.10008.1.20.1', // Storage Commitment Push Model
  '1.2.840.10008.5.1.4.32.1', // General Purpose Worklist, retired
];
const OTHER_TRANSFER = [
  '1.2.840.10008.1.2.1.99',
  '1.2.840.10008.1.2.4.50',
  '1.2.840.10008.1.2.4.70',
  '1.2.840.10008.1.2.5',
  '1.2.3.4',
];

const suite = wholeFile();
const data = await scratch(suite);
await worklistFolder(data);
const { port } = await startService(suite, { data });

function raw(t: TestContext, to = port): RawPeer {
  const peer = new RawPeer(to);
  t.after(() => peer.socket.destroy());
  return peer;
}

async function negotiate(
  t: TestContext,
  proposals: readonly (readonly [abstractSyntax: string, transferSyntaxes: readonly string[]])[],
  to = port,
): Promise<{ result: number; transferSyntax: string }[]> {
  const contexts = proposals.map(([abstractSyntax, transferSyntaxes], index) => ({
    id: 2 * index + 1,
    abstractSyntax,
    transferSyntaxes,
  }));
  const answer = await raw(t, to).associate({ calledAet: AET, callingAet: 'PRISMA', contexts });
  assert.ok(answer.type === 'associate-ac', JSON.stringify(answer));
  return contexts.map(({ id }) => {
    const context = answer.contexts.find((one) => one.id === id);
    assert.ok(context, `context ${id} is answered`);
    return context;
  });
}

test('conformance: the page is what the code says', async () => {
  const script = join(root, 'scripts/generate-conformance.ts');
  const { code, stderr } = await run(process.execPath, [script, '--check']);
  assert.equal(code, 0, stderr);
});

test('conformance: the worklist agrees to every combination that the page lists, and to no other', async (t) => {
  assert.ok(stated.size >= 2, 'the page lists contexts');
  const transfers = [...new Set([...stated.values()].flat()), ...OTHER_TRANSFER];
  const proposals = [...stated.keys(), ...OTHER_ABSTRACT].flatMap((abstract) =>
    transfers.map((transfer) => [abstract, [transfer]] as const),
  );
  const answers = await negotiate(t, proposals);
  for (const [index, [abstract, [transfer = '']]] of proposals.entries()) {
    const syntaxes = stated.get(abstract);
    const expected = syntaxes === undefined ? 3 : syntaxes.includes(transfer) ? 0 : 4;
    const answer = answers[index];
    assert.equal(answer?.result, expected, `${abstract} with ${transfer}`);
    if (expected === 0) assert.equal(answer.transferSyntax, transfer);
  }
});

test('conformance: among several transfer syntaxes the page’s order decides, not the caller’s', async (t) => {
  const proposals = [...stated].map(
    ([abstract, syntaxes]) => [abstract, [...OTHER_TRANSFER, ...syntaxes.toReversed()]] as const,
  );
  const answers = await negotiate(t, proposals);
  for (const [index, [abstract]] of proposals.entries())
    assert.equal(answers[index]?.transferSyntax, stated.get(abstract)?.[0], abstract);
});

test('conformance: implementation and maximum length are those of the page', async (t) => {
  const answer = await raw(t).associate({ calledAet: AET, callingAet: 'PRISMA' });
  assert.ok(answer.type === 'associate-ac');
  const implementation = rowsUnder('## 3 Introduction').map(([, value = '']) => value.replaceAll('`', ''));
  const { implementationClassUid, implementationVersionName, maximumLength } = answer.user;
  assert.deepEqual(implementation.slice(0, 2), [implementationClassUid, implementationVersionName]);
  const parameters = new Map(rowsUnder('#### 7.1.1').map(([name = '', value = '']) => [name, value]));
  assert.equal(parameters.get('Maximum length announced'), `${maximumLength} bytes`);
});

test('conformance: associations are rejected as the page says', async (t) => {
  const listed = new Set(
    rowsUnder('#### 7.1.3').map(([result, source, reason = '']) => [result, source, reason[0]].join('/')),
  );
  const cases = [
    [{ calledAet: 'OTHER', callingAet: 'PRISMA' }, '1/1/7'],
    [{ calledAet: AET, callingAet: 'STRANGER' }, '1/1/3'],
    [{ calledAet: AET, callingAet: 'PRISMA', applicationContext: '1.2.3' }, '1/1/2'],
    [{ calledAet: AET, callingAet: 'PRISMA', protocolVersion: 2 }, '1/2/2'],
  ] as const;
  for (const [change, expected] of cases) {
    const answer = await raw(t).associate(change);
    assert.ok(answer.type === 'associate-rj', expected);
    assert.equal(`${answer.result}/${answer.source}/${answer.reason}`, expected);
    assert.ok(listed.has(expected), `${expected} is listed`);
  }
  const mute = await raw(t).associate({ calledAet: AET, callingAet: 'PRISMA' }, 6);
  assert.deepEqual(mute, { type: 'associate-rj', result: 1, source: 2, reason: 1 });
  assert.ok(listed.has('1/2/1'));
});

/** Storage, and what nobody has defined as anything else. */
const STORAGE = [
  '1.2.840.10008.5.1.4.1.1.4', // MR Image Storage
  '1.2.840.10008.5.1.4.1.1.4.2', // MR Spectroscopy Storage
  '1.2.840.10008.5.1.4.1.1.66', // Raw Data Storage
  '1.2.840.10008.5.1.4.34.7', // RT Beams Delivery Instruction Storage
  '1.3.12.2.1107.5.9.1', // Siemens CSA Non-Image Storage
  '1.2.840.10008.5.1.4.1.1.9999', // the standard of tomorrow
];
const NO_STORAGE = [
  ...OTHER_ABSTRACT.filter((uid) => !STORAGE.includes(uid)),
  '1.2.840.10008.5.1.4.31', // Modality Worklist
  '1.2.840.10008.3.1.2.3.3', // MPPS
  '1.2.840.10008.1.3.10', // Media Storage Directory
  '1.2.840.10008.5.1.1.9', // Basic Grayscale Print Management
  '1.2.840.10008.5.1.4.37.1', // Relevant Patient Information
  '1.2.840.10008.5.1.4.1.1.201.5', // Inventory Find
];

test('conformance: the receiver takes, rejects and announces what the page says', async (t) => {
  const rig = await startRig(t, { sections: { receiver: { aets: [AET] }, arrivals: { from: 'scanners' } } });
  const [verification, storage] = rowsUnder('#### 7.3.2');
  const preferred = uidsIn(storage?.[1]);
  assert.equal(preferred.length, 3);
  const proposals = [
    ...STORAGE.map((uid) => [uid, [...OTHER_TRANSFER, ...preferred.toReversed()], preferred[0]] as const),
    ...OTHER_TRANSFER.map((transfer) => [STORAGE[0] ?? '', [transfer], transfer] as const),
    [uidsIn(verification?.[0])[0] ?? '', preferred, uidsIn(verification?.[1])[0]] as const,
    ...NO_STORAGE.map((uid) => [uid, preferred, undefined] as const),
  ];
  const answers = await negotiate(
    t,
    proposals.map(([abstract, offered]) => [abstract, offered] as const),
    rig.port,
  );
  for (const [index, [abstract, offered, agreed]] of proposals.entries()) {
    const { result, transferSyntax } = answers[index] ?? {};
    assert.equal(result, agreed === undefined ? 3 : 0, abstract);
    if (agreed !== undefined) assert.equal(transferSyntax, agreed, `${abstract} with ${offered.join()}`);
  }
  const accepted = await raw(t, rig.port).associate({ calledAet: AET, callingAet: 'PRISMA' });
  assert.ok(accepted.type === 'associate-ac');
  const parameters = new Map(rowsUnder('#### 7.3.1').map(([name = '', value = '']) => [name, value]));
  assert.equal(parameters.get('Maximum length announced'), `${accepted.user.maximumLength} bytes`);
  const listed = rowsUnder('#### 7.3.3').map(([result, source, reason = '']) =>
    [result, source, reason[0]].join('/'),
  );
  const rejected = [
    [{ calledAet: 'OTHER', callingAet: 'PRISMA' }, '1/1/7'],
    [{ calledAet: AET, callingAet: 'STRANGER' }, '1/1/3'],
    [{ calledAet: AET, callingAet: 'PRISMA', applicationContext: '1.2.3' }, '1/1/2'],
    [{ calledAet: AET, callingAet: 'PRISMA', protocolVersion: 2 }, '1/2/2'],
  ] as const;
  for (const [change, expected] of rejected) {
    const answer = await raw(t, rig.port).associate(change);
    assert.ok(answer.type === 'associate-rj', expected);
    assert.equal(`${answer.result}/${answer.source}/${answer.reason}`, expected);
    assert.ok(listed.includes(expected), `${expected} is listed`);
  }
});

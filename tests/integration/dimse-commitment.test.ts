/** Storage commitment on the wire: our client against scripted SCPs and Orthanc, our listener against theirs. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeSeries, transferSyntaxes, type CommitmentReport } from '@scanflow/dicom';
import {
  commitmentReports,
  listen,
  newTransactionUid,
  onCommitmentEvent,
  requestCommitment,
  type CommitmentOutcome,
} from '@scanflow/dimse';
import {
  allCommitted,
  findOrthanc,
  freePort,
  startCommitmentScp,
  startOrthanc,
  until,
  type CommitmentScp,
  type CommitmentScpOptions,
} from '@scanflow/testkit';

const MR = '1.2.840.10008.5.1.4.1.1.4';
const references = ['1.2.3.1', '1.2.3.2', '1.2.3.3'].map((sopInstanceUid) => ({
  sopClassUid: MR,
  sopInstanceUid,
}));
const nothing = (): void => undefined;
const silent = { error: nothing, warn: nothing, info: nothing, debug: nothing };

interface Listener {
  readonly port: number;
  readonly reports: CommitmentReport[];
  readonly warnings: string[];
}

/** Takes reports from PACS, as SCANFLOW, and answers with `status`. */
async function listener(t: TestContext, status = 0, port = 0): Promise<Listener> {
  const reports: CommitmentReport[] = [];
  const warnings: string[] = [];
  const listening = await listen({
    bind: '127.0.0.1',
    port,
    admit: ({ callingAet }) =>
      callingAet === 'PACS'
        ? { accept: true }
        : { accept: false, result: 1, source: 1, reason: 3, why: 'not listed' },
    contexts: [commitmentReports],
    onEvent: onCommitmentEvent((report) => {
      reports.push(report);
      return Promise.resolve({ status });
    }),
    log: { ...silent, warn: (event) => void warnings.push(event) },
    limits: { closeMs: 100 },
  });
  t.after(() => listening.close());
  return { port: listening.port, reports, warnings };
}

async function scp(t: TestContext, options: Partial<CommitmentScpOptions> = {}): Promise<CommitmentScp> {
  const started = await startCommitmentScp({ aet: 'PACS', ...options });
  t.after(() => started.close());
  return started;
}

interface Asked {
  readonly outcome: CommitmentOutcome;
  readonly transactionUid: string;
  readonly same: CommitmentReport[];
}

async function ask(port: number, lingerMs = 0, responseMs = 60_000): Promise<Asked> {
  const transactionUid = newTransactionUid();
  const same: CommitmentReport[] = [];
  const peer = {
    host: '127.0.0.1',
    port,
    calledAet: 'PACS',
    callingAet: 'SCANFLOW',
    timeouts: { response: responseMs },
  };
  const outcome = await requestCommitment(
    peer,
    { transactionUid, references },
    {
      lingerMs,
      log: silent,
      onReport: (report) => {
        same.push(report);
        return Promise.resolve({ status: 0 });
      },
    },
  );
  return { outcome, transactionUid, same };
}

const LONG = 60_000;
const wait = (check: () => boolean, what: string): Promise<unknown> =>
  until(check, { what, timeoutMs: LONG });

test('commitment: reported on the same association, in either transfer syntax', async (t) => {
  for (const syntax of [transferSyntaxes.explicitVRLittleEndian, transferSyntaxes.implicitVRLittleEndian]) {
    const pacs = await scp(t, { onRequest: () => ({ same: true }), transferSyntaxes: [syntax] });
    const { outcome, transactionUid, same } = await ask(pacs.port, LONG);
    assert.deepEqual(outcome, { ok: true, status: 0, reported: true });
    assert.deepEqual(same, [{ transactionUid, committed: references, failed: [] }]);
    await wait(() => pacs.answers.length === 1, 'the SCP gets its answer');
    assert.deepEqual(pacs.answers, [0]);
  }
});

test('commitment: reported later, on an association that the SCP opens with the role of the SCP', async (t) => {
  const ours = await listener(t);
  const failed = { sopClassUid: MR, sopInstanceUid: '1.2.3.3', reason: 0x0112 };
  const pacs = await scp(t, {
    callback: { port: ours.port, calledAet: 'SCANFLOW' },
    onRequest: (_, request) => ({
      report: { ...allCommitted(request), committed: references.slice(0, 2), failed: [failed] },
      times: 2,
    }),
  });
  const { outcome, transactionUid } = await ask(pacs.port);
  assert.deepEqual(outcome, { ok: true, status: 0, reported: false });
  await wait(() => pacs.answers.length === 2, 'both reports are answered');
  assert.deepEqual(pacs.answers, [0, 0]);
  assert.deepEqual(ours.reports[1], { transactionUid, committed: references.slice(0, 2), failed: [failed] });
});

test('commitment: N-ACTION refused is told by its status, never reported', async (t) => {
  const pacs = await scp(t, { onRequest: () => ({ status: 0x0213, same: true }) });
  const { outcome, same } = await ask(pacs.port, LONG);
  assert.deepEqual(outcome, { ok: true, status: 0x0213, reported: false });
  assert.equal(same.length, 0);
});

test('commitment: an SCP that never reports keeps nobody longer than was asked for', async (t) => {
  const pacs = await scp(t, { onRequest: () => ({ report: 'never' }) });
  const { outcome } = await ask(pacs.port, 300);
  assert.deepEqual(outcome, { ok: true, status: 0, reported: false });
});

test('commitment: a peer that does not offer it is permanent, one that does not answer ambiguous', async (t) => {
  const other = await listen({
    bind: '127.0.0.1',
    port: 0,
    admit: () => ({ accept: true }),
    contexts: [],
    log: silent,
    limits: { closeMs: 100 },
  });
  t.after(() => other.close());
  const refused = await ask(other.port);
  assert.deepEqual(refused.outcome.ok ? undefined : refused.outcome.failure.code, 'NOT_NEGOTIATED');
  const silentScp = await listen({
    bind: '127.0.0.1',
    port: 0,
    admit: () => ({ accept: true }),
    contexts: [{ ...commitmentReports, role: 'scp', operations: ['N-ACTION'] }],
    onAction: () => new Promise(() => undefined),
    log: silent,
    limits: { closeMs: 100, handlerMs: 2_000 },
  });
  t.after(() => silentScp.close());
  const lost = await ask(silentScp.port, 0, 300);
  assert.deepEqual(lost.outcome.ok ? undefined : lost.outcome.failure.kind, 'ambiguous');
});

test('commitment: who does not select the role of the SCP may not report, nor a stranger', async (t) => {
  const ours = await listener(t);
  const pacs = await scp(t, { callback: { port: ours.port, calledAet: 'SCANFLOW' } });
  const report = { transactionUid: newTransactionUid(), committed: references, failed: [] };
  const roleless = await pacs.report(report, { selectRole: false });
  assert.equal(roleless.ok ? undefined : roleless.failure.code, 'NOT_NEGOTIATED');
  assert.deepEqual(ours.warnings, ['association.role-not-selected']);
  const stranger = await pacs.report(report, { from: 'STRANGER' });
  assert.equal(stranger.ok ? undefined : stranger.failure.code, 'DEST_REJECTED');
  assert.equal(ours.reports.length, 0);
  assert.equal((await pacs.report(report)).ok, true);
});

test('commitment: who asks for the role is told where we do not grant it', async (t) => {
  const pacs = await scp(t, {
    callback: { port: (await scp(t)).port, calledAet: 'PACS' },
  });
  const answer = await pacs.report({ transactionUid: '2.25.1', committed: references, failed: [] });
  assert.equal(answer.ok ? undefined : answer.failure.code, 'ROLE_REFUSED');
});

test('commitment: the answer of the listener reaches the SCP', async (t) => {
  const ours = await listener(t, 0x0115);
  const pacs = await scp(t, { callback: { port: ours.port, calledAet: 'SCANFLOW' } });
  const answer = await pacs.report({ transactionUid: '2.25.1', committed: references, failed: [] });
  assert.deepEqual(answer, { ok: true, status: 0x0115 });
});

const skip = findOrthanc() === undefined ? 'Orthanc is not installed' : false;

test('commitment: Orthanc reports what it has, and names what it does not have', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-commitment-'));
  const port = await freePort();
  const ours = await listener(t, 0, port);
  const orthanc = await startOrthanc({
    folder,
    aet: 'PACS',
    extra: { DicomModalities: { scanflow: ['SCANFLOW', '127.0.0.1', port] } },
  });
  t.after(async () => {
    await orthanc.kill();
    await rm(folder, { recursive: true, force: true });
  });
  const [first] = makeSeries({
    modality: 'MR',
    images: 1,
    when: Temporal.ZonedDateTime.from('2026-11-22T10:00[UTC]'),
  });
  assert.ok(first !== undefined);
  await orthanc.upload(first.bytes);
  const has = { sopClassUid: MR, sopInstanceUid: first.sopInstanceUid };
  const lacks = { sopClassUid: MR, sopInstanceUid: '1.2.3.4' };
  const peer = { host: '127.0.0.1', port: orthanc.dicomPort, calledAet: 'PACS', callingAet: 'SCANFLOW' };
  const options = { lingerMs: 0, log: silent, onReport: () => Promise.resolve({ status: 0 }) };
  for (const [transactionUid, asked] of [
    ['2.25.11', [has]],
    ['2.25.12', [has, lacks]],
  ] as const) {
    const outcome = await requestCommitment(peer, { transactionUid, references: asked }, options);
    assert.deepEqual(outcome, { ok: true, status: 0, reported: false });
  }
  await wait(() => ours.reports.length === 2, `Orthanc reports:\n${orthanc.log()}`);
  const byUid = new Map(ours.reports.map((report) => [report.transactionUid, report]));
  assert.deepEqual(byUid.get('2.25.11'), { transactionUid: '2.25.11', committed: [has], failed: [] });
  assert.deepEqual(byUid.get('2.25.12')?.failed, [{ ...lacks, reason: 0x0112 }]);
  assert.deepEqual(byUid.get('2.25.12')?.committed, [has]);
});

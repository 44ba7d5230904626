/** What the doctor makes of what it sees: no probe is needed for that. */
import assert from 'node:assert/strict';
import { judgeBids } from './bids.ts';
import { test } from 'node:test';
import { defined, given } from '@scanflow/failure/defined';
import { sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { judgeCalendars, judgeHealth, judgePostgres } from './health.ts';
import {
  judgeClock,
  judgeSkew,
  judgeTogether,
  orthancInstant,
  judgeOrthanc,
} from '@scanflow/transfer/doctor/orthanc';
import { failure, type Finding } from '@scanflow/transfer/doctor/check';
import { judgeMount, judgeSpace, judgeTrouble, mountAmong } from '@scanflow/transfer/doctor/folder';
import { explained, judgeCommitment, judgeKinds, kindsOf } from '@scanflow/transfer/doctor/node';
import { judgeHooks, judgeKept, judgeSeries, judgeVerification, judgeWarnings } from './stuck.ts';
import { orthancsOwn } from './senders.ts';
import { judgeMode } from './files.ts';
import { judgeStatus } from '@scanflow/transfer/doctor/destinations';

const states = (findings: readonly Finding[]): string =>
  findings.map(({ state, code }) => `${state}${code === undefined ? '' : ` ${code}`}`).join(', ');

test('orthanc: several are of one database, and each has a name of its own', () => {
  const judge = (...given: readonly string[]): string =>
    states(judgeTogether(given.map((DatabaseServerIdentifier) => ({ DatabaseServerIdentifier }))));
  assert.equal(judge('73-16@1', '73-16@2'), '');
  assert.equal(judge('73-16'), '');
  assert.equal(judge('73-16@1', '73-17@2'), 'failed ORTHANC_APART');
  assert.equal(judge('73-16@1', '73-16@1'), 'warning');
  assert.deepEqual(judgeTogether([{ Version: '1.10.1' }, { Version: '1.10.1' }]), []);
});

test('orthanc: settings that lose images fail, those that may surprise warn', () => {
  const good = { Version: '1.12.7', DatabaseServerIdentifier: 'x', DicomAet: 'ORTHANC' };
  const judge = (more: object, open = false): string => states(judgeOrthanc({ ...good, ...more }, { open }));
  assert.equal(judge({}), '');
  assert.equal(judge({ MaximumStorageSize: 0, MaximumPatientCount: 0, MaximumStorageMode: 'Recycle' }), '');
  assert.equal(judge({ MaximumStorageSize: 1000 }), 'failed ORTHANC_RECYCLES');
  assert.equal(judge({ MaximumPatientCount: 3, MaximumStorageMode: 'Recycle' }), 'failed ORTHANC_RECYCLES');
  assert.equal(judge({ MaximumStorageSize: 1000, MaximumStorageMode: 'Reject' }), 'warning');
  assert.equal(judge({ OverwriteInstances: true }), 'warning');
  assert.equal(judge({ ReadOnly: true }), 'failed');
  assert.equal(judge({ Version: '1.9.7' }), 'warning');
  assert.equal(judge({ Version: '1.10.1' }), '');
  assert.equal(judge({ Version: 'mainline' }), '');
  assert.equal(judge({ DatabaseServerIdentifier: undefined }), 'warning');
  assert.equal(judge({}, true), 'warning');
  assert.equal(states(judgeOrthanc({}, { open: false })), 'failed ORTHANC_UNCLEAR');
});

test('clock: what Orthanc says to the second is compared, and leases ask for more', () => {
  const at = (text: string): Temporal.Instant => Temporal.Instant.from(`2026-11-22T${text}Z`);
  const config = (lease?: number) => ({
    facility: { name: 'x', timezone: 'Europe/Amsterdam' },
    ledger: { lease: lease ?? 60_000, ...defined({ url: given(lease, () => 'postgresql://x') }) },
  });
  const judge = (said: string, lease?: number): string =>
    states([judgeSkew({ before: at('10:00:00.5'), after: at('10:00:01.2'), said: at(said) }, config(lease))]);
  assert.equal(judge('10:00:00'), 'ok');
  assert.equal(judge('10:00:06'), 'ok');
  assert.equal(judge('10:00:10'), 'warning');
  assert.equal(judge('09:59:50'), 'warning');
  assert.equal(judge('09:59:00'), 'failed');
  assert.equal(judge('10:00:10', 20_000), 'failed');
  const behind = { before: at('10:00:00'), after: at('10:00:00'), said: at('09:58:00') };
  assert.match(judgeSkew(behind, config()).message, /Orthanc's clock is 119 s behind ours/);
  assert.equal(orthancInstant('20261122T100203\n')?.toString(), '2026-11-22T10:02:03Z');
  assert.equal(orthancInstant('<html>'), undefined);
  assert.equal(orthancInstant('20269922T100203'), undefined);
  assert.equal(judgeClock(Temporal.Instant.from('1970-01-01T00:00:00Z'), 'UTC').state, 'failed');
  assert.match(judgeClock(at('10:00:00'), 'Europe/Amsterdam').message, /2026-11-22 11:00:00 in Europe/);
});

test('storage: room, floors, inodes, and what the system says', () => {
  const whole = { total: 1e12, free: 5e11, files: 0.5 };
  assert.equal(states(judgeSpace('/p', whole)), '');
  assert.equal(states(judgeSpace('/p', { ...whole, free: 1e9 })), 'failed');
  assert.equal(states(judgeSpace('/p', { ...whole, free: 3e10 })), 'warning');
  assert.equal(states(judgeSpace('/p', { ...whole, files: 0.001 })), 'warning');
  assert.equal(states(judgeSpace('/p', whole, { bytes: 6e11 })), 'failed STORE_SPACE_FLOOR');
  assert.equal(states(judgeSpace('/p', whole, { fraction: 0.6 })), 'failed STORE_SPACE_FLOOR');
  // a floor of one's own takes the place of ours
  assert.equal(states(judgeSpace('/p', { ...whole, free: 1e9 }, { bytes: 1e8 })), '');
  assert.equal(judgeTrouble('/p', 'EROFS', 'user 1').code, 'STORE_READ_ONLY');
  assert.match(judgeTrouble('/p', 'EACCES', 'user 10001').message, /no permission .*EACCES, as user 10001/);
  assert.equal(judgeTrouble('/p', 'EWHATEVER', 'user 1').state, 'failed');
});

test('storage: the innermost mount counts, the last over another, with its name unescaped', () => {
  const table = [
    '22 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
    '30 22 0:30 / /project rw - tmpfs tmpfs rw',
    String.raw`31 30 0:44 / /project rw - nfs4 server:/a\040b rw`,
    '32 22 0:45 / /projects rw - xfs /dev/vdb rw',
    '',
  ].join('\n');
  assert.deepEqual(mountAmong(table, '/project/x'), { at: '/project', type: 'nfs4', source: 'server:/a b' });
  assert.equal(mountAmong(table, '/data')?.at, '/');
  assert.equal(mountAmong('', '/data'), undefined);
  assert.equal(states(judgeMount('/project', mountAmong(table, '/project'))), '');
  assert.match(judgeMount('/data', mountAmong(table, '/data'))[0]?.message ?? '', /system's own disk/);
  const overlay = { at: '/', type: 'overlay', source: 'overlay' };
  assert.match(judgeMount('/project', overlay)[0]?.message ?? '', /lost with it/);
});

test('health: well, ill with its reasons, another version, another program', () => {
  const body = { status: 'ok', version: '0.1.0' };
  assert.equal(states(judgeHealth('streamer', { status: 200, body }, '0.1.0')), 'ok');
  assert.equal(states(judgeHealth('streamer', { status: 200, body }, '0.2.0')), 'warning');
  assert.equal(states(judgeHealth('streamer', { status: 404, body: { error: 'x' } }, '0.1.0')), 'failed');
  const ill = {
    ...body,
    status: 'failing',
    ledger: 'ok',
    storage: 'STORE_SPACE_FLOOR: full.',
    orthanc: { answers: false, message: 'Orthanc does not answer.' },
  };
  const [found] = judgeHealth('streamer', { status: 503, body: ill }, '0.1.0');
  assert.equal(found?.state, 'failed');
  assert.match(found.message, /STORE_SPACE_FLOOR: full\. Orthanc does not answer\.$/);
  const files = { status: 200, body: { ...body, problems: 2 } };
  assert.equal(states(judgeHealth('worklist', files, '0.1.0')), 'warning');
  const warned = { status: 200, body: { ...body, warning: 'ORTHANC_RECYCLES: …' } };
  assert.equal(states(judgeHealth('streamer', warned, '0.1.0')), 'warning');
});

test('health: each fault with its code and remedy; what is degraded warns, calendars in their own check', () => {
  const full = {
    state: 'failing',
    code: 'STORE_DISK_FULL',
    message: '1 series waits for storage since 4 min. Free space; storing goes on by itself.',
  };
  const away = {
    state: 'degraded',
    code: 'DEST_UNREACHABLE',
    message: '2 series wait for pacs since 3 h. Look.',
  };
  const body = { status: 'failing', version: '0.1.0', storage: 'STORE_DISK_FULL: …', faults: [full, away] };
  const found = judgeHealth('streamer', { status: 503, body }, '0.1.0');
  assert.equal(states(found), 'failed STORE_DISK_FULL, warning DEST_UNREACHABLE');
  assert.equal(found[0]?.message, '1 series waits for storage since 4 min.');
  assert.equal(found[0].todo, 'Free space; storing goes on by itself.');
  const stale = { status: 'ok', version: '0.1.0', degraded: true, faults: [{ ...away, code: 'FETCH_AUTH' }] };
  assert.equal(states(judgeHealth('cal2wl', { status: 200, body: stale }, '0.1.0')), 'ok');
});

test('calendars: rejected bookings are counted; one that was never read has nothing on the worklist', () => {
  const state = { calendar: 'skyra', state: 'good', ageSeconds: 3, bookings: 3, rejected: 8 };
  const [found] = judgeCalendars([state], ['skyra']);
  assert.equal(found?.message, 'skyra: 8 of 11 bookings are rejected, so no scanner sees them');
  const [never] = judgeCalendars([{ calendar: 'skyra', state: 'unknown' }], ['skyra']);
  assert.match(never?.todo ?? '', /^Nothing of it is on the worklist until/);
});

test('nodes: commitment that is configured and not offered warns', () => {
  const { storageCommitmentPush: sopClassUid } = sopClasses;
  const transferSyntax = transferSyntaxes.implicitVRLittleEndian;
  assert.equal(states(judgeCommitment([], 'PACS')), 'warning COMMITMENT_NOT_OFFERED');
  assert.deepEqual(judgeCommitment([{ sopClassUid, transferSyntax }], 'PACS'), []);
});

test('bids: sessions that failed or wait too long warn; a short queue does not', () => {
  const now = Temporal.Instant.from('2026-11-30T20:00:00Z');
  const judged = (more: object) => judgeBids([{ target: 'hook:bids', failed: 0, ...more }], now);
  assert.deepEqual(judgeBids([{ target: 'hook:x', failed: 9, waiting: '2026-01-01T00:00:00Z' }], now), []);
  assert.deepEqual(judged({ waiting: '2026-11-30T09:00:00Z' }), []);
  assert.match(judged({ waiting: '2026-11-30T07:00:00Z' })[0]?.message ?? '', /waited .* 13 h/);
  assert.match(judged({ failed: 1 })[0]?.message ?? '', /^1 session could not/);
  assert.equal(judged({ failed: 2, waiting: '2026-11-01T07:00:00Z' }).length, 2);
  const untested = { state: 'degraded', code: 'BIDS_DCM2NIIX_UNTESTED', message: 'dcm2niix v2 is new.' };
  const [finding] = judgeHealth(
    'bids',
    { status: 200, body: { status: 'ok', version: '1', faults: [untested] } },
    '1',
  );
  assert.deepEqual([finding?.state, finding?.code], ['warning', 'BIDS_DCM2NIIX_UNTESTED']);
});

test('calendars: one that takes no answers warns, with the reason and its code', () => {
  const state = { calendar: 'skyra', state: 'good', ageSeconds: 3 };
  const answer = { code: 'ANSWER_REFUSED', message: "the calendar's server answered 403" };
  const [finding, ...more] = judgeCalendars([{ ...state, answer }], ['skyra']);
  assert.deepEqual(more, []);
  assert.equal(finding?.state, 'warning');
  assert.equal(finding.code, 'ANSWER_REFUSED');
  assert.match(finding.message, /^skyra takes no answers.*403/);
});

test('calendars: stale for a while warns, for long or for ever fails', () => {
  const good = { calendar: 'a', state: 'good', ageSeconds: 30 };
  const stale = {
    calendar: 'a',
    state: 'stale',
    ageSeconds: 600,
    failure: { code: 'FETCH_AUTH', message: 'No.' },
  };
  assert.deepEqual(judgeCalendars([good], ['a']), [
    { state: 'ok', message: 'a: read well, the oldest 30 s ago' },
  ]);
  assert.equal(states(judgeCalendars([stale], ['a'])), 'warning FETCH_AUTH');
  assert.equal(states(judgeCalendars([{ ...stale, ageSeconds: 7200 }], ['a'])), 'failed FETCH_AUTH');
  assert.equal(states(judgeCalendars([{ calendar: 'a', state: 'unknown' }], ['a'])), 'failed');
  assert.match(judgeCalendars([{ ...good, held: 4 }], ['a'])[0]?.todo ?? '', /calendars accept a/);
  assert.equal(states(judgeCalendars([{ ...good, clockSkewSeconds: -90 }], ['a'])), 'warning');
  assert.equal(states(judgeCalendars([good], ['a', 'new'])), 'warning');
});

test('nodes: what is not taken is told by its name', () => {
  const proposed = kindsOf(['MR', 'MR']);
  assert.equal(proposed.length, 4);
  assert.ok(kindsOf(['MG']).some(({ sopClassUid }) => sopClassUid === sopClasses.secondaryCapture));
  assert.equal(judgeKinds(proposed, proposed, 'It answers').state, 'ok');
  const none = judgeKinds(proposed, proposed.slice(0, 2), 'It answers');
  assert.match(none.message, /takes no enhanced MR images/);
  const implicit = proposed.filter((kind) => kind.transferSyntax === transferSyntaxes.implicitVRLittleEndian);
  assert.match(judgeKinds(proposed, implicit, 'It answers').message, /Implicit VR Little Endian only/);
});

test('nodes: failures become what to do', () => {
  const peer = { host: 'pacs', port: 104, calledAet: 'PACS', callingAet: 'SCANFLOW' };
  const todo = (code: string, message: string): string => explained({ code, message }, peer).todo ?? '';
  assert.match(todo('DEST_UNREACHABLE', 'Cannot connect: ENOTFOUND.'), /Correct host/);
  assert.match(todo('DEST_UNREACHABLE', 'Cannot connect: ECONNREFUSED.'), /Start the node/);
  assert.match(todo('DEST_NO_ASSOCIATION', 'No association: closed.'), /tls/);
  assert.equal(todo('DEST_REJECTED', 'It rejected: temporary congestion.'), 'Look into the log there.');
  assert.deepEqual(failure({ code: 'X', message: 'It is so. Do this, and that.' }), {
    state: 'failed',
    message: 'It is so.',
    todo: 'Do this, and that.',
    code: 'X',
  });
  const refused = explained({ code: 'DEST_REJECTED', message: 'calling AE title not recognized' }, peer);
  assert.equal(orthancsOwn(refused, 'PRISMA').state, 'warning');
});

test('dicomweb: refused, not there, failing and storing only are told apart', () => {
  const judge = (status: number): string => states([judgeStatus(status, 'http://pacs/studies')]);
  assert.deepEqual([200, 204, 401, 403, 404, 302, 500, 503, 405, 501].map(judge), [
    ...['ok', 'ok', 'failed STOW_DENIED', 'failed STOW_DENIED', 'failed STOW_NOT_THERE'],
    ...['failed STOW_NOT_THERE', 'failed STOW_ERROR', 'failed STOW_ERROR', 'warning', 'warning'],
  ]);
});

test('series with warnings are counted by code', () => {
  const incomplete = { warnings: [{ code: 'SERIES_INCOMPLETE' }] };
  const both = { warnings: [{ code: 'SERIES_INCOMPLETE' }, { code: 'LABELS_AGAIN' }] };
  const found = judgeWarnings([incomplete, both, {}]);
  assert.deepEqual(
    found.map(({ state, code, message }) => [state, code, message]),
    [
      ['warning', 'SERIES_INCOMPLETE', '2 series have a warning'],
      ['warning', 'LABELS_AGAIN', '1 series have a warning'],
    ],
  );
});

test('hooks that failed, and what stays in Orthanc, are warnings with their codes', () => {
  assert.equal(states(judgeHooks([], [])), 'ok');
  const failed = { target: 'hook:nifti', failure: { code: 'HOOK_EXIT' } };
  const [hook, ...others] = judgeHooks([failed, failed], []);
  assert.deepEqual([hook?.state, hook?.code, others], ['warning', 'HOOK_EXIT', []]);
  assert.match(hook?.message ?? '', /hook:nifti failed 2 times/);
  const open = [
    { target: 'hook:lab', configured: true, pending: 7, failed: 0 },
    { target: 'hook:nifti', configured: false, pending: 3, failed: 2 },
  ];
  const [left, ...more] = judgeHooks([failed, failed], open);
  assert.deepEqual([left?.state, left?.code, more], ['warning', 'HOOK_NOT_CONFIGURED', []]);
  assert.match(left?.message ?? '', /hook:nifti is no longer in the configuration, and 5 runs wait for it/);
  assert.match(left?.todo ?? '', /scanflow series skip --all --target hook:nifti/);
  assert.equal(states(judgeKept(undefined)), 'ok');
  const kept = judgeKept({ series: 3, because: { HOOK_EXIT: 2, ROUTE_NO_MATCH: 1 } });
  assert.deepEqual(
    kept.map(({ state, code }) => [state, code]),
    [
      ['warning', 'HOOK_EXIT'],
      ['warning', 'ROUTE_NO_MATCH'],
    ],
  );
});

test('ledger, series and secrets: what is counted and compared', () => {
  assert.equal(states([judgePostgres('db:5432', 'S', true)]), 'ok');
  assert.equal(states([judgePostgres('db:5432', 'N', false)]), 'ok');
  assert.equal(states([judgePostgres('db:5432', 'N', true)]), 'failed LEDGER_TLS');
  assert.equal(states([judgePostgres('db:5432', 'H', false)]), 'failed LEDGER_UNREACHABLE');
  assert.equal(states(judgeSeries(0, 0)), 'ok');
  assert.equal(states(judgeSeries(2, 1)), 'warning, warning');
  assert.match(judgeSeries(1000, 0)[0]?.message ?? '', /1000 or more series failed/);
  assert.equal(states(judgeMode('a', '/b', 0o100644)), 'warning');
  assert.equal(states(judgeMode('a', '/b', 0o100640)), '');
});

test('verification: what is wrong fails, what is behind warns, what is acknowledged is told', () => {
  const judge = (summary: object, every: number | undefined = 86_400_000): string =>
    states(judgeVerification(summary, every, 200_000_000));
  assert.equal(judge({}), 'ok');
  assert.equal(judge({ failing: { VERIFY_MISSING: 2 }, due: 199_999_999 }), 'failed VERIFY_MISSING');
  assert.equal(judge({ trouble: { STORE_ROOT_EMPTY: 1 } }), 'warning STORE_ROOT_EMPTY');
  assert.equal(judge({ due: 1 }), 'warning');
  assert.equal(judge({ due: 1 }, Number.MAX_SAFE_INTEGER), 'ok');
  assert.match(judgeVerification({ acknowledged: 3 }, 1, 1)[0]?.message ?? '', /3 series are not/);
});

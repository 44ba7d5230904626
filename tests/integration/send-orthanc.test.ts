/** `scanflow send --orthanc-study`: out of a real Orthanc, with storescp's files and another Orthanc as the judges. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  freePort,
  run,
  startOrthanc,
  startScriptedScp,
  startStorescp,
  type RunningOrthanc,
  type RunResult,
  type Storescp,
} from '@scanflow/testkit';
import { assertReceived, between, dataSetOf, upload, type Uploaded } from './send-orthanc-support.ts';

const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));
/** Of images that take a buffer of 256 KiB each, 8 MiB are looked at before an association is proposed, and a few more. */
const MOST_LOOKED_AT = 40;
const IMAGES = 60;

const send = (...args: string[]): Promise<RunResult> =>
  run(SCANFLOW, ['send', ...args], { timeoutMs: 240_000 });

interface Json {
  readonly sent: number;
  readonly failed: number;
  readonly bytes: number;
  readonly series: readonly {
    acquisitionId: string;
    path: string;
    filename: string;
    images: number;
    sent: number;
    status: string;
  }[];
  readonly failures: readonly { file: string; code: string; kind: string; message: string }[];
}
const json = ({ stdout }: RunResult): Json => JSON.parse(stdout) as Json;
const to = ({ port }: { readonly port: number }): string[] => ['--to', `SCP@127.0.0.1:${port}`];

async function temporary(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'send-orthanc-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function storescp(t: TestContext): Promise<Storescp> {
  const scp = await startStorescp({ folder: await temporary(t) });
  t.after(() => scp.stop());
  return scp;
}

suite('send out of Orthanc', () => {
  let folder: string;
  let orthanc: RunningOrthanc;
  let small: Uploaded;
  let asked: string[];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'send-orthanc-'));
    orthanc = await startOrthanc({ folder: join(folder, 'source') });
    small = await upload(orthanc, 1, 5, (index) => (index === 0 ? 3_000_000 : 0));
    asked = who(orthanc.url);
  });
  after(async () => {
    await orthanc.kill();
    await rm(folder, { recursive: true, force: true });
  });

  const who = (url: string): string[] => [
    ...['--orthanc', url],
    ...['--orthanc-user', orthanc.username, '--orthanc-password-file', orthanc.passwordFile],
  ];
  const uids = async (): Promise<{ study: string; series: string }> => {
    const tags = async (path: string, keyword: string): Promise<string> => {
      const { MainDicomTags: main } = (await orthanc.get(path)) as { MainDicomTags: Record<string, string> };
      return main[keyword] ?? '';
    };
    return {
      study: await tags(`/studies/${small.study}`, 'StudyInstanceUID'),
      series: await tags(`/series/${small.series}`, 'SeriesInstanceUID'),
    };
  };

  test('send: a study of Orthanc’s arrives byte for byte, by its identifier and its UID', async (t) => {
    const { study } = await uids();
    const [first, second] = [await storescp(t), await storescp(t)];
    const tagged = await send('--orthanc-study', small.study, ...asked, ...to(first), '--json');
    assert.equal(tagged.code, 0, tagged.stderr);
    const report = json(tagged);
    assert.deepEqual([report.sent, report.failed], [5, 0]);
    assert.deepEqual(
      report.series.map(({ path, filename, images, sent, status }) => [path, filename, images, sent, status]),
      [[`${orthanc.url}/studies`, small.study, 5, 5, 'Complete']],
    );
    await assertReceived(first, small.images, true);
    const plain = await send('--orthanc-study', study, ...asked, ...to(second), '--tag', 'none');
    assert.equal(plain.code, 0, plain.stderr);
    await assertReceived(second, small.images);
  });

  test('send: a series, as the configuration says, into another Orthanc', async (t) => {
    const { series } = await uids();
    const target = await startOrthanc({ folder: join(await temporary(t), 'target') });
    t.after(() => target.kill());
    const config = join(folder, 'scanflow.yaml');
    const { url, username, passwordFile } = orthanc;
    await writeFile(
      config,
      JSON.stringify({
        facility: { name: 'Here', timezone: 'Europe/Amsterdam' },
        data: '/data',
        scanners: {},
        orthanc: { url, username, passwordFile },
        storage: { root: '/project' },
      }),
    );
    const where = ['--to', `${target.aet}@127.0.0.1:${target.dicomPort}`];
    const sent = await send(
      '--orthanc-series',
      series,
      '--config',
      config,
      ...where,
      '--tag',
      'none',
      '--json',
    );
    assert.equal(sent.code, 0, sent.stderr);
    assert.equal(json(sent).series[0]?.acquisitionId, series);
    // DCMTK writes the file meta information anew and leaves what follows as it is
    for (const id of small.instances) {
      const came = await (await target.request(`/instances/${id}/file`)).arrayBuffer();
      const original = await (await orthanc.request(`/instances/${id}/file`)).arrayBuffer();
      assert.ok(dataSetOf(new Uint8Array(came)).equals(dataSetOf(new Uint8Array(original))));
    }
  });

  test('send: what is not there, a wrong password and nobody there are told at once, exit code 2', async () => {
    const wrong = join(folder, 'wrong');
    await writeFile(wrong, 'nonsense\n');
    const user = ['--orthanc-user', 'scanflow', '--orthanc-password-file'];
    const dead = `http://127.0.0.1:${await freePort()}`;
    const none = '00000000-11111111-22222222-33333333-44444444';
    const cases: [RegExp, ...string[]][] = [
      [/has no study 1\.2\.3\.4\.5/, '--orthanc-study', '1.2.3.4.5', ...asked],
      [/has no series 00000000-1/, '--orthanc-series', none, ...asked],
      // a series' identifier is none of a study
      [/has no study/, '--orthanc-study', small.series, ...asked],
      [
        /refuses the user or the password \(401\)/,
        '--orthanc-study',
        small.study,
        '--orthanc',
        orthanc.url,
        ...user,
        wrong,
      ],
      [/refuses the user or the password \(401\)/, '--orthanc-study', small.study, '--orthanc', orthanc.url],
      [/does not answer at .*ECONNREFUSED/, '--orthanc-study', small.study, '--orthanc', dead],
      [/identifier of Orthanc's or a DICOM UID/, '--orthanc-study', '../system', ...asked],
      [/--orthanc URL or --config FILE/, '--orthanc-study', small.study],
      [/goes with --orthanc-study/, ...asked],
      [/go together/, '--orthanc-study', small.study, '--orthanc', orthanc.url, '--orthanc-user', 'x'],
      [
        /the secret .* cannot be read/,
        '--orthanc-study',
        small.study,
        '--orthanc',
        orthanc.url,
        ...user,
        '/none',
      ],
    ];
    for (const [message, ...args] of cases) {
      const { code, stderr, stdout } = await send(folder, ...args, '--to', 'X@127.0.0.1:1');
      assert.equal(code, 2, `${args.join(' ')}: ${stdout}${stderr}`);
      assert.match(stderr, message);
    }
  });

  test('send: an image deleted in the middle is told of, and the others go', async (t) => {
    const doomed = await upload(orthanc, 7, 6);
    const victim = doomed.instances[4] ?? '';
    const scp = await startScriptedScp();
    t.after(() => scp.close());
    const url = await between(t, orthanc, async (path, _, response) => {
      if (path !== `/instances/${victim}/attachments/dicom/data`) return false;
      // it was listed, and somebody deletes it before its turn comes
      await (await orthanc.request(`/instances/${victim}`, { method: 'DELETE' })).arrayBuffer();
      response.writeHead(404).end();
      return true;
    });
    const result = await send('--orthanc-series', doomed.series, ...who(url), ...to(scp), '--json');
    assert.equal(result.code, 1);
    const report = json(result);
    assert.deepEqual(
      report.series.map(({ images, sent, status }) => [images, sent, status]),
      [[6, 5, 'Incomplete']],
    );
    assert.deepEqual(
      report.failures.map(({ code, kind, file }) => [code, kind, file]),
      [['ORTHANC_GONE', 'permanent', `${url}/instances/${victim}`]],
    );
  });

  test('send: answers that break off, or hold other bytes, are asked for again; nothing wrong arrives', async (t) => {
    const bad = new Map<string, 'cut' | 'flipped' | 'refused'>([
      [small.instances[1] ?? '', 'cut'],
      [small.instances[2] ?? '', 'flipped'],
      [small.instances[3] ?? '', 'refused'],
    ]);
    const url = await between(t, orthanc, (path, answer, response) => {
      const id = /^\/instances\/([^/]+)\/attachments/.exec(path)?.[1] ?? '';
      const how = bad.get(id);
      bad.delete(id);
      if (how === undefined) return false;
      if (how === 'refused') {
        answer.resume();
        response.writeHead(500).end();
        return true;
      }
      response.writeHead(200, answer.headers);
      answer.once('data', (part: Buffer) => {
        const half = part.subarray(0, 2000);
        if (how === 'cut') response.write(half, () => response.destroy());
        else response.write(Buffer.concat([part.subarray(0, -1), Buffer.from([(part.at(-1) ?? 0) ^ 1])]));
        if (how === 'flipped') answer.pipe(response);
      });
      return true;
    });
    const scp = await storescp(t);
    const result = await send(
      '--orthanc-study',
      small.study,
      ...who(url),
      ...to(scp),
      '--tag',
      'none',
      '--json',
    );
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.equal(bad.size, 0);
    assert.match(result.stderr, /3 images are tried again/);
    await assertReceived(scp, small.images);
  });

  test('send: with nobody at the other end hardly anything is pulled, and the series is in the report', async (t) => {
    let pulled = 0;
    const many = await upload(orthanc, 9, IMAGES, () => 20_000);
    const url = await between(t, orthanc, (path) => {
      if (path.includes('/attachments/')) pulled += 1;
      return false;
    });
    const nobody = ['--to', `X@127.0.0.1:${await freePort()}`, '--retry-time', '0s', '--json'];
    const result = await send('--orthanc-series', many.series, ...who(url), ...nobody);
    assert.equal(result.code, 1);
    assert.deepEqual(
      json(result).series.map(({ images, sent, status }) => [images, sent, status]),
      [[IMAGES, 0, 'Failed']],
    );
    assert.deepEqual(new Set(json(result).failures.map(({ code }) => code)), new Set(['DEST_UNREACHABLE']));
    // those that are looked at before an association is proposed; once that has failed, none
    assert.ok(pulled <= MOST_LOOKED_AT, `${pulled}`);
  });

  test('send: an image of 300 MB is never held whole', async (t) => {
    const size = 300_000_000;
    const huge = await upload(orthanc, 11, 1, () => size);
    const scp = await storescp(t);
    const limited = await run(
      process.execPath,
      [
        '--import',
        join(import.meta.dirname, 'send-orthanc-memory.ts'),
        fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url)),
        ...['send', '--orthanc-series', huge.series, ...asked, ...to(scp), '--tag', 'none', '--json'],
      ],
      { timeoutMs: 240_000 },
    );
    assert.equal(limited.code, 0, limited.stderr);
    assert.ok(json(limited).bytes > size);
    const peak = Number(/peak RSS (\d+)/.exec(limited.stderr)?.[1]);
    assert.ok(peak > 0 && peak < 200_000_000, `${peak}`);
    const [file = ''] = await scp.files();
    const [original = new Uint8Array()] = huge.images.values();
    const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    assert.equal(digest(dataSetOf(await readFile(file))), digest(dataSetOf(original)));
  });
});

/** A release as `npm run release -- --dry-run` makes it: its bundle installs and runs on an engine, without network and without the sources. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { run, until, type RunResult } from '@scanflow/testkit';
import { docker, imageOf, Project, ROOT, whyNot } from '../engine.ts';

const LONGEST_MS = 1_200_000;

suite('the offline bundle', { skip: await whyNot() }, () => {
  let scratch: string;
  let folder: string;
  let stack: Project;
  let made: RunResult;
  /** A command in the bundle's folder, in a network namespace that reaches nobody. The engine listens at a file. */
  const offline = (command: string): Promise<RunResult> =>
    run(
      'unshare',
      ['--net', 'env', ...Object.entries(stack.env).map(([k, v]) => `${k}=${v}`), 'sh', '-c', command],
      {
        cwd: folder,
        timeoutMs: LONGEST_MS,
      },
    );

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'scanflow-release-'));
    stack = await Project.create('release', ['compose.yaml']);
    made = await run('node', ['scripts/release.ts', '--dry-run', '--to', scratch], {
      cwd: ROOT,
      timeoutMs: LONGEST_MS,
    });
    const names = await readdir(scratch);
    folder = join(scratch, names.find((name) => /^scanflow-[\d.]+-[a-z0-9]+$/.test(name)) ?? 'none');
  });
  after(async () => {
    await run('docker', ['compose', '--project-name', stack.name, 'down', '--volumes', '--timeout', '10'], {
      timeoutMs: LONGEST_MS,
    });
    await rm(scratch, { recursive: true, force: true });
  });

  test('a dry run says what speaks against the release, and makes it all the same', async () => {
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stderr, /would refuse: The commit has no tag v\d/);
    assert.match(made.stdout, /scanflow-[\d.]+-[a-z0-9]+\.tar/);
    assert.match(await readFile(join(scratch, 'notes.md'), 'utf8'), /### Added/);
  });

  test('each image has a list of what it holds', async () => {
    const lists = await readdir(join(folder, 'sbom'));
    for (const name of ['cli', 'cal2wl', 'worklist', 'receiver', 'streamer', 'dashboard']) {
      const sbom = JSON.parse(
        await readFile(join(folder, 'sbom', `scanflow-${name}.sbom.cdx.json`), 'utf8'),
      ) as {
        bomFormat: string;
        components: unknown[];
      };
      assert.equal(sbom.bomFormat, 'CycloneDX');
      assert.ok(sbom.components.length > 10, name);
    }
    for (const name of ['orthanc', 'postgres', 'haproxy', 'streamer'])
      assert.ok(lists.includes(`scanflow-${name}.debian-packages.txt`), name);
  });

  test('it installs where its images are not, and the stack runs from it', async () => {
    const images = ['cli', 'cal2wl', 'worklist', 'orthanc', 'receiver', 'streamer', 'dashboard'].map(imageOf);
    await docker('image', 'rm', '--force', ...images);
    const { code, stdout, stderr } = await offline('sh install.sh');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Scanflow [\d.]+ is loaded/);
    for (const image of images) await docker('image', 'inspect', image);
    const up = await offline(`docker compose --project-name ${stack.name} up --detach --wait --no-build`);
    assert.equal(up.code, 0, up.stderr);
    const health = await until(
      async () => (await fetch(`http://127.0.0.1:${stack.ports.streamer}/healthz`)).json(),
      { what: 'the streamer answers', timeoutMs: 30_000 },
    );
    const { version, status } = health as { version: string; status: string };
    assert.deepEqual([imageOf('streamer').split(':')[1], 'ok'], [version, status]);
  });

  test('a bundle that was damaged on the way loads nothing', async () => {
    await appendFile(join(folder, 'compose.yaml'), '\n');
    const { code, stderr } = await offline('sh install.sh');
    assert.equal(code, 1);
    assert.match(stderr, /copy the bundle again\. Nothing was loaded/);
  });
});

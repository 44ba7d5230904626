/** What the images are built from: named in one file, and renewed by a script that changes it only when all is known. */
import assert from 'node:assert/strict';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run, type RunResult } from '@scanflow/testkit';

const ROOT = join(import.meta.dirname, '../..');
const PINS = join(ROOT, 'docker/pins.env');

async function dockerfiles(): Promise<string[]> {
  const names = await readdir(join(ROOT, 'docker'), { recursive: true });
  return names.filter((name) => name.endsWith('Dockerfile')).map((name) => join(ROOT, 'docker', name));
}

test('pins: every base image is one that docker/pins.env names, and packages come from its snapshot', async () => {
  const pins = await readFile(PINS, 'utf8');
  for (const file of await dockerfiles()) {
    const text = await readFile(file, 'utf8');
    const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    assert.ok(bases.length > 0, file);
    // or a stage before it
    const stages = [...text.matchAll(/^FROM \S+ AS (\S+)/gm)].map(([, stage]) => stage);
    for (const base of bases.filter((one) => !stages.includes(one)))
      assert.match(base ?? '', /^\$\{(NODE|DEBIAN)_IMAGE\}$/, file);
    for (const [, name = '', value = ''] of text.matchAll(/^ARG (\w+_IMAGE)=(\S+)$/gm))
      assert.match(pins, new RegExp(`^SCANFLOW_${name}=${value}(@sha256:[0-9a-f]{64})?$`, 'm'), file);
    if (text.includes('apt-get install'))
      assert.match(text, /DEBIAN_SNAPSHOT[^]*snapshot\.debian\.org[^]*apt-get install/, file);
    assert.match(text, /debian-packages\.txt/, file);
  }
});

/** Runs the script with programs that play docker and curl. */
async function renew(t: TestContext, docker: string, curl: string): Promise<RunResult & { pins: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-pins-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, script] of Object.entries({ docker, curl })) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const pins = join(folder, 'pins.env');
  await copyFile(PINS, pins);
  const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  const result = await run('sh', [join(ROOT, 'scripts/renew-pins.sh'), pins], { env });
  assert.deepEqual((await readdir(folder)).toSorted(), ['curl', 'docker', 'pins.env']);
  return { ...result, pins: await readFile(pins, 'utf8') };
}

test('pins: renewed, they have digests and a snapshot', async (t) => {
  const digest = 'a1'.repeat(32);
  const { code, stderr, pins } = await renew(t, `echo sha256:${digest}`, 'exit 0');
  assert.equal(code, 0, stderr);
  assert.match(pins, new RegExp(`^SCANFLOW_NODE_IMAGE=node:26-trixie-slim@sha256:${digest}$`, 'm'));
  assert.match(pins, new RegExp(`^SCANFLOW_DEBIAN_IMAGE=debian:trixie-slim@sha256:${digest}$`, 'm'));
  assert.match(pins, /^SCANFLOW_DEBIAN_SNAPSHOT=\d{8}T\d{6}Z$/m);
});

test('pins: where the registry or the archive does not answer, nothing changes', async (t) => {
  const before = await readFile(PINS, 'utf8');
  const good = `echo sha256:${'a1'.repeat(32)}`;
  for (const [docker, curl] of [
    ['exit 1', 'exit 0'],
    ['echo none', 'exit 0'],
    ['true', 'exit 0'],
    [good, 'exit 22'],
  ] as const) {
    const { code, pins } = await renew(t, docker, curl);
    assert.notEqual(code, 0, `${docker}, ${curl}`);
    assert.equal(pins, before);
  }
});

/** `scanflow send` to a peer that does not take the files' transfer syntax: told of, with what to do. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeSeries } from '@scanflow/dicom';
import { dcmtk, run, startStorescp } from '@scanflow/testkit';

const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'send-syntax-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

interface Json {
  readonly sent: number;
  readonly failures: readonly { readonly code: string; readonly message: string }[];
}

test('send: a transfer syntax that the peer refuses is told of, with what it takes and what converts it', async (t) => {
  const files = await folder(t);
  const when = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
  const programs = ['dcmconv', 'dcmcjpeg', 'dcmcrle'];
  for (const [at, { bytes }] of [...makeSeries({ modality: 'MR', images: 3, when })].entries()) {
    const plain = join(await folder(t), 'plain.dcm');
    await writeFile(plain, bytes);
    const { code, stderr } = await dcmtk(programs[at] ?? '', [plain, join(files, `${at}.dcm`)]);
    assert.equal(code, 0, stderr);
  }
  const scp = await startStorescp({ folder: await folder(t), syntaxes: ['+xe'] });
  t.after(() => scp.stop());
  const to = ['send', files, '--to', `SCP@127.0.0.1:${scp.port}`];
  const result = await run(SCANFLOW, [...to, '--json'], { timeoutMs: 120_000 });
  assert.equal(result.code, 1);
  const { sent, failures } = JSON.parse(result.stdout) as Json;
  assert.equal(sent, 1);
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['NOT_NEGOTIATED', 'NOT_NEGOTIATED'],
  );
  const messages = failures.map(({ message }) => message).sort();
  for (const message of messages) assert.match(message, /It takes: Explicit VR Little Endian, Implicit VR/);
  assert.ok(messages.some((message) => message.includes('by dcmdjpeg +te IN OUT')));
  assert.ok(messages.some((message) => message.includes('by dcmdrle +te IN OUT')));
  const plain = await run(SCANFLOW, to, { timeoutMs: 120_000 });
  assert.match(plain.stdout, /not sent: .*dcmdjpeg \+te/);
});

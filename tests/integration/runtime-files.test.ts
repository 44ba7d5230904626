/** writeFileAtomic under kill -9: whatever the moment, the name stands for one whole content. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { removeLeftovers } from '@scanflow/runtime';
import { startProgram, until } from '@scanflow/testkit';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'scanflow-kill-'));
after(() => rm(folder, { recursive: true, force: true }));

/** Writes one file again and again, each time with another digit. */
const WRITER = `import { writeFileAtomic } from '@scanflow/runtime';
  for (let turn = 0; ; turn += 1) await writeFileAtomic(process.argv[1], String(turn % 10).repeat(2_000_000));`;

test('writeFileAtomic: killed while it writes, the file is whole and what is left is found', async () => {
  const path = join(folder, 'booking.json');
  const seen = { leftovers: 0 };
  for (let kill = 0; kill < 5; kill += 1) {
    const writer = await startProgram(process.execPath, ['--input-type=module', '-e', WRITER, path], {
      cwd: root,
    });
    // the moment at which something lies beside the file is a moment in the midst of writing
    await until(async () => (await readdir(folder)).some((name) => name.endsWith('.tmp')), {
      what: 'it writes',
      timeoutMs: 20_000,
      everyMs: 1,
    });
    await writer.stop('SIGKILL');
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) assert.match(text, /^(\d)\1{1999999}$/);
    seen.leftovers += (await removeLeftovers(folder)).length;
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name !== 'booking.json'),
      [],
    );
  }
  assert.ok(seen.leftovers > 0, 'no kill came in the midst of writing');
});

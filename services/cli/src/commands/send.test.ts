/** What loads before `scanflow send` begins: who sends a few images waits for little else. */
import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'node:test';

const NEEDLESS = [
  '/dicom/src/index.ts',
  '/dicom/src/phantom/',
  'dictionary-data',
  '/dimse/src/index.ts',
  '/booking/',
];

/** Prints what the import loads. In a process of its own: other tests may have loaded it in this one. */
const LISTS = `
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
await import(process.argv[1]);
console.log(JSON.stringify(loaded));`;

test('send: loads a part of the DICOM packages, and no bookings', async () => {
  const args = ['--input-type=module', '--eval', LISTS, join(import.meta.dirname, 'send.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  const loaded = JSON.parse(stdout) as string[];
  assert.ok(
    loaded.some((url) => url.includes('dimse/src/scu/store/')),
    'the hook sees what loads',
  );
  assert.deepEqual(
    loaded.filter((url) => NEEDLESS.some((part) => url.includes(part))),
    [],
  );
});

/** What loads before `scanflow send` begins: who sends a few images waits for little else. */
import { strict as assert } from 'node:assert';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

const NEEDLESS = [
  '/dicom/src/index.ts',
  '/dicom/src/phantom/',
  'dictionary-data',
  '/dimse/src/index.ts',
  '/booking/',
];

test('send: loads a part of the DICOM packages, and no bookings', async () => {
  const loaded: string[] = [];
  const hooks = registerHooks({
    load: (url, context, next) => {
      loaded.push(url);
      return next(url, context);
    },
  });
  try {
    await import('./send.ts');
  } finally {
    hooks.deregister();
  }
  assert.ok(
    loaded.some((url) => url.includes('dimse/src/scu/store/')),
    'the hook sees what loads',
  );
  assert.deepEqual(
    loaded.filter((url) => NEEDLESS.some((part) => url.includes(part))),
    [],
  );
});

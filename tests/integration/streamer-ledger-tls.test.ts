/** The streamer and a PostgreSQL over TLS: told at the start what is wrong with it, and going on once that is mended. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findPostgres, makeAuthority, startPostgres, until } from '@scanflow/testkit';
import { makeRig, phantom, scratch, sendTo, settled } from './streamer-support.ts';
import { verifyStored } from './streamer-verify.ts';

const skip = findPostgres() === undefined ? 'POSTGRESQL IS NOT INSTALLED' : false;

test('streamer: PostgreSQL proves its name, or is told nothing', { skip }, async (t) => {
  const pki = await scratch(t);
  const hospital = await makeAuthority(pki, 'hospital');
  const stranger = await makeAuthority(pki, 'stranger');
  const server = await startPostgres();
  t.after(() => server.stop());
  const ca = join(pki, 'ca.pem');
  const rig = await makeRig(t, {
    extra: { ledger: { url: server.url, passwordFile: server.passwordFile, tls: { ca } } },
  });

  for (const [content, reason] of [
    [undefined, /ENOENT/],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /PEM/],
  ] as const) {
    if (content !== undefined) await writeFile(ca, content);
    const failed = await rig.start();
    assert.notEqual(await failed.ended, 0);
    assert.match(failed.output(), /ledger\.tls\.ca cannot be used: .*ca\.pem has to hold the certificate/);
    assert.match(failed.output(), reason);
  }

  await writeFile(ca, await readFile(hospital.certificate));
  await server.secure(await stranger.issue('db'));
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 3 });
  await sendTo(rig.orthanc, folder);
  const told = async (expected: RegExp): Promise<void> => {
    await until(
      async () => {
        // it may not have begun to listen
        const health = await rig.health().catch(() => undefined);
        return health?.status === 503 && expected.test(JSON.stringify(health.body)) ? true : undefined;
      },
      { what: `the health page says ${String(expected)}`, timeoutMs: 60_000 },
    );
  };
  await told(/not from the authority in ledger\.tls\.ca/);
  await server.secure(undefined);
  await told(/it does not speak TLS, and ledger\.tls requires it/);
  await rig.streamer().said(/LEDGER_TLS/);
  assert.equal(
    await server.query('postgres', `SELECT to_regclass('series') IS NULL`),
    't\n',
    'something was written',
  );

  await server.secure(await hospital.issue('db'));
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 3);
  const clear = await server.query(
    'postgres',
    `SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'scanflow-streamer' AND NOT ssl`,
  );
  assert.equal(clear, '0\n');
});

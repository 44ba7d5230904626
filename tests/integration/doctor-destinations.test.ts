/** `scanflow doctor` and destinations that are wrong in every way: AE titles, TLS, ports, and what they take. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  freePort,
  makeAuthority,
  startScriptedScp,
  type Certificate,
  type ScriptedScpOptions,
} from '@scanflow/testkit';
import { diagnose, install, startSilent, storescp, temporary } from './doctor-support.ts';

/** Enough for a machine that is busy. */
const PATIENT = ['--timeout', '30s'];

async function scripted(
  t: TestContext,
  options: ScriptedScpOptions,
): Promise<{ host: string; port: number }> {
  const scp = await startScriptedScp(options);
  t.after(() => scp.close());
  return { host: '127.0.0.1', port: scp.port };
}

test('doctor: destinations, each wrong in its own way, and what to do about it', async (t) => {
  const folder = await temporary(t);
  const authority = await makeAuthority(folder, 'authority');
  const [good, expired, otherName] = await Promise.all([
    authority.issue('good'),
    authority.issue('expired', { expired: true }),
    authority.issue('elsewhere', { names: 'DNS:other.example.org' }),
  ]);
  const stranger = await makeAuthority(await temporary(t), 'stranger');
  const foreign = await stranger.issue('foreign');
  const speaking = (certificate: Certificate, ...more: string[]): Promise<{ host: string; port: number }> =>
    storescp(t, '+tls', certificate.key, certificate.certificate, ...more);
  const ca = { ca: authority.certificate };
  const reject = (reason: number): Promise<{ host: string; port: number }> =>
    scripted(t, { onAssociation: { result: 1, source: 1, reason } });
  const cases: Readonly<Record<string, readonly [object, string, RegExp, RegExp]>> = {
    called: [await reject(7), 'DEST_REJECTED', /called AE title not recognized/, /not called PACS/],
    calling: [await reject(3), 'DEST_REJECTED', /calling AE title not recognized/, /Have SCANFLOW/],
    dead: [
      { host: '127.0.0.1', port: await freePort() },
      'DEST_UNREACHABLE',
      /Nothing listens/,
      /Start the node/,
    ],
    silent: [
      { host: '127.0.0.1', port: await startSilent(t) },
      'DEST_NO_ASSOCIATION',
      /no answer to the association request/,
      /may be no DICOM node, or want TLS/,
    ],
    expired: [
      { ...(await speaking(expired, '-ic')), tls: ca },
      'TLS_EXPIRED',
      /has expired/,
      /Renew it there/,
    ],
    authority: [
      { ...(await speaking(foreign, '-ic')), tls: ca },
      'TLS_WRONG_CA',
      /authority/,
      /file that `ca` names/,
    ],
    name: [
      { ...(await speaking(otherName, '-ic')), tls: ca },
      'TLS_WRONG_NAME',
      /another name/,
      /serverName/,
    ],
    plain: [{ ...(await storescp(t)), tls: ca }, 'TLS_', /TLS/, /TLS/],
    client: [
      { ...(await speaking(good, '+cf', authority.certificate)), tls: ca },
      'TLS_',
      /certificate|closed/,
      /certificate/,
    ],
    file: [{ host: '127.0.0.1', port: 1, tls: { ca: '/none.pem' } }, 'TLS_CREDENTIALS', /none\.pem/, /tls/],
  };
  const secured = { ...(await speaking(good, '-ic')), tls: ca, aet: 'PACS' };
  const refusing = await scripted(t, {
    contextResult: (sopClass) => (sopClass === '1.2.840.10008.5.1.4.1.1.4.1' ? 3 : 0),
  });
  const destinations = {
    ...Object.fromEntries(Object.entries(cases).map(([name, [reach]]) => [name, { ...reach, aet: 'PACS' }])),
    good: secured,
    picky: { ...refusing, aet: 'PICKY' },
  };
  const { file } = await install(t, { orthanc: { url: 'http://127.0.0.1:1' }, sections: { destinations } });
  const { of, code } = await diagnose(file, ['destinations'], PATIENT);
  assert.equal(code, 1);
  for (const [name, [, failure, message, todo]] of Object.entries(cases)) {
    const [found, ...more] = of(`destination ${name}`);
    assert.ok(found !== undefined && more.length === 0, name);
    assert.equal(found.state, 'failed', name);
    assert.ok(found.code?.startsWith(failure), `${name}: ${found.code} ${found.message}`);
    assert.match(found.message, message, name);
    assert.match(found.todo ?? '', todo, name);
  }
  assert.equal(of('destination good')[0]?.state, 'ok');
  const [picky] = of('destination picky');
  assert.deepEqual([picky?.state, picky?.code], ['warning', 'NOT_NEGOTIATED']);
  assert.match(picky?.message ?? '', /takes no enhanced MR images/);
});

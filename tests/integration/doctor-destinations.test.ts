/** `scanflow doctor` and destinations that are wrong in every way: AE titles, TLS, ports, and what they take. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
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
    calling: [await reject(3), 'DEST_REJECTED', /calling AE title not recognized/, /Enter SCANFLOW/],
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
      /may be no DICOM node, or may require TLS/,
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

/** Answers every request with this status; its address. */
async function web(t: TestContext, status: number, tls?: Certificate): Promise<string> {
  const answer = (_: unknown, response: ServerResponse): void => {
    response.writeHead(status).end('[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"Secret^Person"}]}}]');
  };
  const server =
    tls === undefined
      ? createHttpServer(answer)
      : createHttpsServer({ key: await readFile(tls.key), cert: await readFile(tls.certificate) }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}/dicom-web`;
}

test('doctor: DICOMweb destinations: well, refused, not there, TLS, nobody', async (t) => {
  const folder = await temporary(t);
  const authority = await makeAuthority(folder, 'authority');
  const [good, expired] = await Promise.all([
    authority.issue('good'),
    authority.issue('expired', { expired: true }),
  ]);
  const tls = { ca: authority.certificate };
  const cases: Readonly<Record<string, readonly [object, string, RegExp]>> = {
    well: [{ url: await web(t, 200) }, 'ok', /answers$/],
    denied: [{ url: await web(t, 401) }, 'STOW_DENIED', /refuses us \(401\)/],
    elsewhere: [{ url: await web(t, 404) }, 'STOW_NOT_THERE', /nothing at .*\/dicom-web\/studies/],
    secured: [{ url: await web(t, 204, good), tls }, 'ok', /answers$/],
    expired: [{ url: await web(t, 200, expired), tls }, 'TLS_EXPIRED', /has expired/],
    untrusted: [{ url: await web(t, 200, good) }, 'TLS_', /authority/],
    dead: [{ url: `http://127.0.0.1:${await freePort()}/dicom-web` }, 'DEST_UNREACHABLE', /ECONNREFUSED/],
    secret: [
      { url: 'http://127.0.0.1:1/', username: 'x', passwordFile: '/none' },
      'STOW_SECRET',
      /\/none cannot be read/,
    ],
  };
  const destinations = Object.fromEntries(Object.entries(cases).map(([name, [reach]]) => [name, reach]));
  const { file } = await install(t, { orthanc: { url: 'http://127.0.0.1:1' }, sections: { destinations } });
  const { of, checks } = await diagnose(file, ['destinations'], PATIENT);
  for (const [name, [, outcome, message]] of Object.entries(cases)) {
    const [found] = of(`destination ${name}`);
    assert.ok((found?.code ?? found?.state)?.startsWith(outcome), `${name}: ${JSON.stringify(found)}`);
    assert.match(found?.message ?? '', message, name);
  }
  assert.ok(!JSON.stringify(checks).includes('Secret'));
});

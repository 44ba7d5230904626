import assert from 'node:assert/strict';
import { createServer as createHttp, request as ask, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { freePort, makeAuthority, makeCalendar, type Authority } from '@scanflow/testkit';
import { close, listen, startCalendars, type Calendars } from './cal2wl-fetch-support.ts';
import { giving, soon, temporaryFolder } from './cal2wl-support.ts';

const TOKEN = 'token-of-the-lab';
const PROXY_PASSWORD = 'pr0xy-pa55';
const good = makeCalendar([soon('001', 2), soon('002', 4)]);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cal2wl: Calendars;
let authority: Authority;
const servers: Server[] = [];
/** What the servers saw: by name of the server. */
const seen: { server: string; url: string; authorization: string | undefined; client: string | undefined }[] =
  [];
/** What the proxies were asked for. */
const proxied: string[] = [];
let redirectTo = '';

async function start(name: string, server: Server): Promise<number> {
  servers.push(server);
  server.on('request', (request: IncomingMessage) => {
    const socket = request.socket as Partial<TLSSocket>;
    // empty where none was shown
    const shown = socket.getPeerCertificate?.() as { subject?: { CN?: unknown } } | undefined;
    const client = shown?.subject?.CN;
    const { url = '', headers } = request;
    seen.push({
      server: name,
      url,
      authorization: headers.authorization,
      client: typeof client === 'string' ? client : undefined,
    });
  });
  return listen(server);
}

async function secure(name: string, options: Parameters<Authority['issue']>[1] = {}, mutual = false) {
  const { key, certificate } = await authority.issue(name, options);
  const files = { key: await readFile(key), cert: await readFile(certificate) };
  const ca = await readFile(authority.certificate);
  const wish = mutual ? { ca, requestCert: true, rejectUnauthorized: name === 'strict' } : {};
  const server = createHttps({ ...files, ...wish });
  const port = await start(name, server);
  server.on('request', (request, response) => {
    if (request.url === '/away.ics') response.writeHead(307, { location: redirectTo }).end();
    else giving(good)(request, response);
  });
  return port;
}

/** A proxy that opens ways and passes plain requests on; with a status it refuses both, but to whoever has the login. */
async function proxy(refused?: number, login?: string): Promise<number> {
  const refusing = ({ headers }: IncomingMessage): number | undefined =>
    login !== undefined && headers['proxy-authorization'] === login ? undefined : refused;
  const server = createHttp((request, response) => {
    proxied.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const status = refusing(request);
    if (status !== undefined) return void response.writeHead(status).end();
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const onward = ask(request.url ?? '', { headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy()).end();
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    proxied.push(`CONNECT ${request.url ?? ''}`);
    const status = refusing(request);
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  servers.push(server);
  return listen(server);
}

before(async () => {
  folder = await temporaryFolder();
  authority = await makeAuthority(folder.path, 'lab');
  const other = await makeAuthority(folder.path, 'stranger');
  const [own, foreign] = [await authority.issue('scanflow'), await other.issue('nobody')];
  const [plain, expired, elsewhere] = [
    await secure('plain'),
    await secure('expired', { expired: true }),
    await secure('elsewhere', { names: 'DNS:other.example.org' }),
  ];
  const [mutual, strict] = [await secure('mutual', {}, true), await secure('strict', {}, true)];
  const clear = await start('clear', createHttp(giving(good)));
  const [open, shut, closed] = [await proxy(), await proxy(407), await freePort()];
  const asking = await proxy(407, `Basic ${btoa(`lab:${PROXY_PASSWORD}`)}`);
  redirectTo = `https://127.0.0.1:${mutual}/landed.ics`;
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, `${TOKEN}\n`);
  const proxyPassword = join(folder.path, 'proxy-password');
  await writeFile(proxyPassword, `${PROXY_PASSWORD}\n`);
  const login = `proxy: 'http://127.0.0.1:${asking}', proxyUsername: lab, proxyPasswordFile`;
  const rotating = join(folder.path, 'rotating.pem');
  await copyFile(other.certificate, rotating);
  const ca = `ca: ${authority.certificate}`;
  const identity = `key: ${own.key}, certificate: ${own.certificate}`;
  const at = (port: number, path = 'c.ics'): string => `url: 'https://127.0.0.1:${port}/${path}'`;
  cal2wl = await startCalendars(
    join(folder.path, 'data'),
    {
      trusted: `${at(plain)}, tls: { ${ca} }`,
      webcal: `url: 'webcal://127.0.0.1:${plain}/w.ics', tls: { ${ca} }`,
      unknown: at(plain),
      foreign: `${at(plain)}, tls: { ca: ${rotating} }`,
      expired: `${at(expired)}, tls: { ${ca} }`,
      elsewhere: `${at(elsewhere)}, tls: { ${ca} }`,
      known: `${at(strict, 'known.ics')}, tls: { ${ca}, ${identity} }`,
      stranger: `${at(strict)}, tls: { ${ca}, key: ${foreign.key}, certificate: ${foreign.certificate} }`,
      unnamed: `${at(strict)}, tls: { ${ca} }`,
      nofile: `${at(plain)}, tls: { ca: ${folder.path}/nothing.pem }`,
      nopem: `${at(plain)}, tls: { ca: ${tokenFile} }`,
      http: `url: 'https://127.0.0.1:${clear}/c.ics'`,
      bearer: `${at(plain, 'bearer.ics')}, tokenFile: ${tokenFile}, tls: { ${ca} }`,
      away: `${at(strict, 'away.ics')}, tokenFile: ${tokenFile}, tls: { ${ca}, ${identity} }`,
      proxied: `${at(plain, 'proxied.ics')}, tokenFile: ${tokenFile}, proxy: 'http://127.0.0.1:${open}', tls: { ${ca} }`,
      proxyclear: `url: 'http://127.0.0.1:${clear}/proxyclear.ics', proxy: 'http://127.0.0.1:${open}'`,
      proxyshut: `${at(plain)}, proxy: 'http://127.0.0.1:${shut}', tls: { ${ca} }`,
      proxyshutclear: `url: 'http://127.0.0.1:${clear}/c.ics', proxy: 'http://127.0.0.1:${shut}'`,
      proxydown: `${at(plain)}, proxy: 'http://127.0.0.1:${closed}', tls: { ${ca} }`,
      asked: `${at(plain, 'asked.ics')}, tls: { ${ca} }, ${login}: ${proxyPassword}`,
      askedclear: `url: 'http://127.0.0.1:${clear}/askedclear.ics', ${login}: ${proxyPassword}`,
      askedwrong: `${at(plain)}, tls: { ${ca} }, ${login}: ${tokenFile}`,
      askednothing: `${at(plain)}, tls: { ${ca} }, ${login}: ${folder.path}/nothing`,
      unproxied: `url: 'http://127.0.0.1:${clear}/unproxied.ics'`,
    },
    {
      // neither is read
      env: {
        HTTP_PROXY: `http://127.0.0.1:${shut}`,
        http_proxy: `http://127.0.0.1:${shut}`,
        ALL_PROXY: 'http://x:1',
      },
    },
  );
});

after(async () => {
  await cal2wl.program.stop();
  await Promise.all(servers.map(close));
  await folder.remove();
});

const readable = ['trusted', 'webcal', 'known', 'bearer', 'away', 'proxied', 'proxyclear', 'unproxied'];
for (const name of [...readable, 'asked', 'askedclear'])
  test(`tls: ${name} is read`, async () => {
    const view = await cal2wl.answered(name);
    assert.equal(view.failure, undefined);
    assert.equal(view.state, 'good');
    assert.equal(view.bookings, 2);
  });

const failures: [string, string, RegExp][] = [
  ['unknown', 'FETCH_CERTIFICATE', /tls\.ca/],
  ['foreign', 'FETCH_CERTIFICATE', /tls\.ca/],
  ['expired', 'FETCH_CERTIFICATE', /CERT_HAS_EXPIRED/],
  ['elsewhere', 'FETCH_CERTIFICATE', /ERR_TLS_CERT_ALTNAME_INVALID/],
  ['stranger', 'FETCH_CUT', /client certificate/],
  ['unnamed', 'FETCH_CUT', /client certificate/],
  ['nofile', 'FETCH_SECRET', /nothing\.pem cannot be read \(ENOENT\)/],
  ['nopem', 'FETCH_CERTIFICATE', /tls\.ca/],
  ['http', 'FETCH_TLS', /speaks https/],
  ['proxyshut', 'FETCH_PROXY', /the proxy 127\.0\.0\.1:\d+ refused .* \(407\)/],
  ['proxyshutclear', 'FETCH_PROXY', /\(407\)/],
  ['askedwrong', 'FETCH_PROXY', /\(407\).*proxyPasswordFile/],
  ['askednothing', 'FETCH_SECRET', /nothing cannot be read/],
  ['proxydown', 'FETCH_UNREACHABLE', /through the proxy 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/],
];

for (const [name, code, message] of failures)
  test(`tls: ${name} cannot be read and says why`, async () => {
    const view = await cal2wl.answered(name);
    assert.equal(view.failure?.code, code, view.failure?.message ?? 'no failure');
    assert.match(view.failure.message, message);
    assert.equal(view.state, 'unknown');
  });

test('tls: the certificate and the token are shown to the calendar, and not to where it redirects', () => {
  const of = (path: string) => seen.filter(({ url }) => url === path);
  assert.ok(of('/known.ics').every(({ client }) => client === 'scanflow'));
  assert.ok(of('/bearer.ics').every(({ authorization }) => authorization === `Bearer ${TOKEN}`));
  const [asked, landed] = [of('/away.ics'), of('/landed.ics')];
  assert.ok(asked.length > 0 && landed.length > 0);
  assert.ok(asked.every((one) => one.client === 'scanflow' && one.authorization === `Bearer ${TOKEN}`));
  for (const one of landed) assert.deepEqual([one.client, one.authorization], [undefined, undefined]);
});

test('tls: a proxy sees the host of an https calendar, and nothing of the token', () => {
  assert.ok(proxied.some((line) => /^CONNECT 127\.0\.0\.1:\d+$/.test(line)));
  assert.ok(proxied.some((line) => /^GET http:\/\/127\.0\.0\.1:\d+\/proxyclear\.ics$/.test(line)));
  assert.ok(!proxied.some((line) => line.includes('unproxied')));
  for (const secret of [TOKEN, PROXY_PASSWORD]) assert.ok(!cal2wl.program.output().includes(secret));
});

test('tls: a certificate that is replaced on disk counts at the next fetch', async () => {
  assert.equal((await cal2wl.pass())['foreign']?.state, 'unknown');
  await copyFile(authority.certificate, join(folder.path, 'rotating.pem'));
  await cal2wl.see('foreign', { state: 'good', bookings: 2 });
});

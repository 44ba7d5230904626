/** Notices by a real SMTP server, webhook and chat: encryption, login, certificates, hostile titles, and every answer. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { sendNotice, type Notice, type Notify, type SendOutcome } from '@scanflow/notify';
import { freePort, httpServer, makeAuthority, until } from '@scanflow/testkit';
import { headersIn, startMailServer } from './mail-support.ts';

const notice = (over: Partial<Notice> = {}): Notice => ({
  ...{
    id: '0b7c-1',
    thread: 'abc',
    role: 'it',
    topic: 'failed',
    state: 'new',
    heading: '2 series failed at pacs',
  },
  ...{ paragraphs: ['Retry them.'], items: ['DEST_REFUSED: series 1'], more: 0 },
  ...{ facility: 'Exämple Centre', at: '2026-11-30T08:00:00Z', link: 'https://board.example.org/series' },
  ...over,
});

type MailSettings = NonNullable<Notify['mail']>;

const notifyOf = (
  mail: Partial<MailSettings> & Pick<MailSettings, 'port'>,
  more: Partial<Notify> = {},
): Notify => ({
  mail: {
    host: '127.0.0.1',
    security: 'starttls',
    from: 'scanflow@facility.example.org',
    timeout: 3_000,
    ...mail,
  },
  ...{ webhooks: {}, chats: {}, it: undefined, booker: undefined, projects: {}, quiet: undefined },
  ...{ gather: 1, again: 1, most: 30 },
  ...more,
});

const send = (
  t: TestContext,
  notify: Notify,
  {
    channel = 'mail',
    address = 'it@example.org',
    ...over
  }: Partial<Notice> & { channel?: string; address?: string } = {},
): Promise<SendOutcome> =>
  sendNotice(notice(over), { channel, address }, notify, { now: 1_700_000_000_000, signal: t.signal });

const codeOf = (outcome: SendOutcome): string =>
  outcome.kind === 'done'
    ? 'done'
    : `${outcome.failure.code} ${outcome.failure.kind}${outcome.down ? ' down' : ''}`;

async function place(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-notify-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const authority = await makeAuthority(folder, 'ca');
  return { folder, file, authority };
}

test('mail: STARTTLS, login, a trusted certificate, and a mail that clients can fold and filter', async (t) => {
  const { file, authority } = await place(t);
  const server = await startMailServer(t, {
    certificate: await authority.issue('smtp'),
    ...{ user: 'scanflow', password: 'päss word' },
  });
  const passwordFile = await file('password', 'päss word\n');
  const good = { port: server.port, username: 'scanflow', passwordFile, tls: { ca: authority.certificate } };
  assert.equal(codeOf(await send(t, notifyOf(good))), 'done');
  const [mail] = server.mails;
  assert.ok(mail !== undefined);
  const { from, to, secure, user } = mail;
  assert.deepEqual(
    { from, to, secure, user },
    {
      ...{ from: 'scanflow@facility.example.org', to: ['it@example.org'], secure: true, user: 'scanflow' },
    },
  );
  const headers = headersIn(mail);
  assert.equal(headers.get('subject'), '2 series failed at pacs');
  assert.equal(headers.get('message-id'), '<0b7c-1@facility.example.org>');
  assert.equal(headers.get('references'), '<abc@facility.example.org>');
  assert.equal(headers.get('auto-submitted'), 'auto-generated');
  assert.match(headers.get('content-type') ?? '', /^multipart\/alternative/);
  assert.ok(
    mail.raw.includes('- DEST_REFUSED: series 1') && mail.raw.includes('<li>DEST_REFUSED: series 1</li>'),
  );
  // and each of these sends nothing
  const wrong = await file('wrong', 'no');
  const cases: [string, Partial<MailSettings>, string][] = [
    ['unknown authority', { tls: undefined }, 'NOTICE_TLS transient down'],
    ['another name', { host: 'localhost.localdomain' }, 'NOTICE_UNREACHABLE transient down'],
    ['wrong password', { passwordFile: wrong }, 'NOTICE_DENIED transient down'],
    ['no password file', { passwordFile: join(wrong, 'x') }, 'NOTICE_SECRET transient down'],
    ['no server', { port: await freePort() }, 'NOTICE_UNREACHABLE transient down'],
    ['TLS where STARTTLS is spoken', { security: 'tls' }, 'NOTICE_TLS transient down'],
  ];
  for (const [name, over, code] of cases)
    assert.equal(codeOf(await send(t, notifyOf({ ...good, ...over }))), code, name);
  assert.equal(server.mails.length, 1);
});

test('mail: a server without STARTTLS gets nothing, and one with TLS from the first byte is spoken to', async (t) => {
  const { authority } = await place(t);
  const plain = await startMailServer(t);
  assert.equal(codeOf(await send(t, notifyOf({ port: plain.port }))), 'NOTICE_TLS transient down');
  assert.equal(plain.mails.length, 0);
  assert.equal(codeOf(await send(t, notifyOf({ port: plain.port, security: 'none' }))), 'done');
  const certificate = await authority.issue('smtps');
  const tls = await startMailServer(t, { certificate, tls: true });
  const secure = { port: tls.port, security: 'tls', tls: { ca: authority.certificate } } as const;
  assert.equal(codeOf(await send(t, notifyOf(secure))), 'done');
  const foreign = await authority.issue('other', { names: 'DNS:other.example.org' });
  const other = await startMailServer(t, { certificate: foreign, tls: true });
  assert.equal(codeOf(await send(t, notifyOf({ ...secure, port: other.port }))), 'NOTICE_TLS transient down');
  assert.equal(other.mails.length, 0);
});

test('mail: a title adds no header, no recipient and no mark-up', async (t) => {
  const server = await startMailServer(t);
  const title = 'x\r\nBcc: victim@example.net\r\nX-Evil: 1\r\n\r\n<script>alert(1)</script> \u202egpj.exe';
  const outcome = await send(t, notifyOf({ port: server.port, security: 'none' }), {
    ...{ heading: title, items: [title], paragraphs: [title], facility: title },
  });
  assert.equal(codeOf(outcome), 'done');
  const [mail] = server.mails;
  assert.ok(mail !== undefined);
  assert.deepEqual(mail.to, ['it@example.org']);
  const names = [...headersIn(mail).keys()].sort();
  assert.deepEqual(names, [
    ...[
      'auto-submitted',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'references',
      'subject',
      'to',
    ],
    ...['x-auto-response-suppress', 'x-scanflow-topic'],
  ]);
  assert.equal(/<script/i.test(mail.raw.slice(mail.raw.indexOf('text/html'))), false);
});

test('mail: what the server says of one recipient is about that one alone', async (t) => {
  const codes: Readonly<Record<string, number>> = { 'gone@example.org': 550, 'grey@example.org': 451 };
  const server = await startMailServer(t, { refuse: (address) => codes[address] });
  const notify = notifyOf({ port: server.port, security: 'none' });
  assert.equal(codeOf(await send(t, notify, { address: 'gone@example.org' })), 'NOTICE_REFUSED permanent');
  assert.equal(codeOf(await send(t, notify, { address: 'grey@example.org' })), 'NOTICE_BUSY transient');
  assert.equal(codeOf(await send(t, notify, { channel: 'left' })), 'NOTICE_NO_CHANNEL permanent');
});

test('mail: a connection that ends before the answer may have delivered it', async (t) => {
  const server = await startMailServer(t, { took: () => new Promise(() => undefined) });
  const outcome = await send(t, notifyOf({ port: server.port, security: 'none', timeout: 1_000 }));
  assert.equal(codeOf(outcome), 'NOTICE_UNSURE ambiguous down');
  assert.equal(server.mails.length, 1);
  // whoever stops does not wait for the server
  const stopping = new AbortController();
  const notify = notifyOf({ port: server.port, security: 'none', timeout: 300_000 });
  const to = { channel: 'mail', address: 'it@example.org' };
  const sending = sendNotice(notice(), to, notify, { now: 0, signal: stopping.signal });
  await until(() => server.mails.length === 2, { what: 'the mail', timeoutMs: 10_000 });
  stopping.abort();
  assert.equal(codeOf(await sending), 'NOTICE_UNSURE ambiguous down');
});

test('webhook and chat: signed JSON, the address from a file, and every answer judged', async (t) => {
  const { file } = await place(t);
  const got: { request: IncomingMessage; body: string }[] = [];
  const url = await httpServer(t, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      got.push({ request, body });
      const status = Number(/\/(\d+)/.exec(request.url ?? '')?.[1] ?? 200);
      response.writeHead(status, { 'retry-after': '120', location: `${url}/200` }).end('ok');
    });
  });
  const notify = notifyOf(
    { port: 1 },
    {
      webhooks: { ops: { url, secretFile: await file('key', 'secret\n') }, plain: { url: `${url}/503` } },
      chats: {
        room: { kind: 'slack', urlFile: await file('slack', `${url}/services/T/B/x\n`) },
        teams: { kind: 'teams', urlFile: await file('teams', `${url}/429`) },
        moved: { kind: 'matrix', urlFile: await file('moved', `${url}/302`) },
        gone: { kind: 'mattermost', urlFile: await file('gone', `${url}/404`) },
        none: { kind: 'mattermost', urlFile: await file('none', 'no address') },
        away: { kind: 'mattermost', urlFile: await file('away', `http://127.0.0.1:${await freePort()}/`) },
      },
    },
  );
  const codes: Readonly<Record<string, string>> = {
    ...{ ops: 'done', room: 'done', plain: 'NOTICE_BUSY transient', teams: 'NOTICE_BUSY transient' },
    ...{ moved: 'NOTICE_REFUSED permanent', gone: 'NOTICE_REFUSED permanent' },
    ...{ none: 'NOTICE_SECRET transient down', away: 'NOTICE_UNREACHABLE transient down' },
  };
  for (const [channel, code] of Object.entries(codes))
    assert.equal(codeOf(await send(t, notify, { channel, address: '' })), code, channel);
  const late = await send(t, notify, { channel: 'teams', address: '' });
  assert.equal(late.kind === 'failed' && late.askedMs, 120_000);
  assert.equal(
    late.kind === 'failed' && late.failure.message.includes(url),
    false,
    'the address is a secret',
  );
  const [ops, room] = got;
  assert.ok(ops !== undefined && room !== undefined);
  const [, seconds, mac] =
    /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(ops.request.headers['x-scanflow-signature'])) ?? [];
  assert.equal(seconds, '1700000000');
  assert.equal(mac, createHmac('sha256', 'secret').update(`${seconds}.${ops.body}`).digest('hex'));
  assert.equal(ops.request.headers['x-scanflow-event-id'], '0b7c-1');
  assert.equal((JSON.parse(ops.body) as Notice).heading, '2 series failed at pacs');
  assert.equal(room.request.url, '/services/T/B/x');
  assert.ok((JSON.parse(room.body) as { text: string }).text.startsWith('*2 series failed at pacs*'));
});

/** Servers that answer byte for byte, for tests. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { httpSource, type Fetched, type HttpSourceOptions } from '@scanflow/sources';

export const calendar = Buffer.from(
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'BEGIN:VEVENT',
    'UID:a',
    'SUMMARY:x',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n'),
);
export const packed = gzipSync(calendar);
export const size = calendar.length;

/** An answer with these header lines. */
export const answer = (
  lines: readonly string[],
  body: Uint8Array = calendar,
  status = '200 OK',
  end = '\r\n',
): Buffer => Buffer.concat([Buffer.from([`HTTP/1.1 ${status}`, ...lines, '', ''].join(end), 'latin1'), body]);
export const chunks = (
  lines: readonly string[],
  body: Uint8Array = calendar,
  extra = '',
  trailer = '',
): Buffer =>
  answer(
    lines,
    Buffer.concat([
      Buffer.from(`${body.length.toString(16)}${extra}\r\n`),
      body,
      Buffer.from(`\r\n0\r\n${trailer}\r\n`),
    ]),
  );
export const encoded = (name: string, body: Uint8Array = calendar): Buffer =>
  answer([`Content-Encoding: ${name}`], body);
export const refused = (status: string, ...lines: string[]): Buffer =>
  answer(['Content-Length: 0', ...lines], Buffer.alloc(0), status);
export const to = (location: string, status = '302 Found'): Buffer =>
  refused(status, `Location: ${location}`);

export interface Request {
  readonly path: string;
  readonly head: string;
  /** How many this connection had before. */
  readonly before: number;
}
/** Bytes after which the connection closes, or what is written while it stays open; undefined hangs up. */
export type Reply = Buffer | ((request: Request) => Buffer | undefined);

export async function serve(t: TestContext, reply: Reply, host = '127.0.0.1'): Promise<string> {
  const server = createServer((socket) => {
    let head = '';
    let before = 0;
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      head += data.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const told =
        typeof reply === 'function' ? reply({ path: head.split(' ')[1] ?? '', head, before }) : reply;
      [head, before] = ['', before + 1];
      if (told === undefined) socket.destroy();
      else if (typeof reply === 'function') socket.write(told);
      else socket.end(told);
    });
    t.after(() => socket.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export const fetchFrom = (url: string, options: Partial<HttpSourceOptions> = {}): Promise<Fetched> =>
  httpSource({ url, timeoutMs: 10_000, maxSize: 50_000, ...options }).fetch({}, new AbortController().signal);

export const outcomeOf = (fetched: Fetched): string => {
  if (fetched.kind === 'failed') return fetched.failure.code;
  if (fetched.kind === 'notModified') return 'not modified';
  return Buffer.from(fetched.bytes).equals(calendar) ? 'calendar' : 'other bytes';
};

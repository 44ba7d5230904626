/**
 * A second request where the first answer was no HTTP by the letter: header lines that end in LF alone (RFC 9112 2.2
 * lets a client take them), a length told twice, blanks in chunk sizes. In a connection of its own.
 */
import { request as http, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as https } from 'node:https';
import { Readable } from 'node:stream';
import type { Message, Wire } from './wire.ts';

const MAX_HEADERS = 65_536;

export function lenient(url: URL, message: Message, tls: RequestOptions): Promise<Wire> {
  const { method, headers, body, signal } = message;
  return new Promise((resolve, reject) => {
    const ask = url.protocol === 'https:' ? https : http;
    const options = { ...tls, method, headers: { ...headers }, signal, agent: false };
    let lost: Error | undefined;
    const request = ask(url, { ...options, insecureHTTPParser: true, maxHeaderSize: MAX_HEADERS }, (answer) =>
      resolve(wireOf(answer, () => lost)),
    );
    request.on('error', (error) => {
      lost = error;
      reject(error);
    });
    request.end(body);
  });
}

function wireOf(answer: IncomingMessage, lost: () => Error | undefined): Wire {
  const { statusCode: status = 0, headersDistinct: headers } = answer;
  const all = (name: string): string[] => headers[name] ?? [];
  const header = (name: string): string | undefined => headers[name]?.join(', ');
  return { status, header, all, body: Readable.from(whole(answer, lost), { objectMode: false }) };
}

/** A body without a length ends silently if the connection is lost, so the client checks the connection. */
async function* whole(answer: IncomingMessage, lost: () => Error | undefined): AsyncGenerator<Uint8Array> {
  yield* answer as AsyncIterable<Uint8Array>;
  const error = lost();
  if (error !== undefined) throw error;
}

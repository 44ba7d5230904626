/** A proxy between streamer and Orthanc that does as it is told with the bytes of images. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import type { RunningOrthanc } from '@scanflow/testkit';

/**
 * `pass`; a status instead of an answer; `cut`: half of the bytes, then the connection is broken; `close`: broken before
 * any; `flip`: one bit of the pixels is another; `lost`: Orthanc does what is asked, and its answer never arrives.
 */
export type Disturbance = 'pass' | number | 'cut' | 'close' | 'flip' | 'lost';

export interface Proxy {
  readonly url: string;
  /** Requests for the bytes of images so far. */
  readonly images: () => number;
}

/**
 * `disturb` is asked per request for an image's bytes; `count` is 1 for the first one. While it thinks, the request waits.
 * `deletion` is asked per deletion.
 */
export async function startProxy(
  t: TestContext,
  orthanc: RunningOrthanc,
  disturb: (count: number, path: string) => Disturbance | Promise<Disturbance>,
  deletion: () => Disturbance = () => 'pass',
): Promise<Proxy> {
  let images = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const isImage = /\/attachments\/dicom\/data$/.test(path);
    if (isImage) images += 1;
    const act = async (): Promise<void> => {
      const asked = isImage ? await disturb(images, path) : request.method === 'DELETE' ? deletion() : 'pass';
      await answer(request, response, orthanc, asked);
    };
    act().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return { url: `http://127.0.0.1:${address.port}`, images: () => images };
}

async function answer(
  { url = '/', method = 'GET', headers }: IncomingMessage,
  response: ServerResponse,
  orthanc: RunningOrthanc,
  what: Disturbance,
): Promise<void> {
  if (what === 'close') {
    response.destroy();
    return;
  }
  if (typeof what === 'number') {
    response.writeHead(what).end('{}');
    return;
  }
  const authorization = headers.authorization ?? '';
  const upstream = await fetch(`${orthanc.url}${url}`, { method, headers: { authorization } });
  const body = Buffer.from(await upstream.arrayBuffer());
  if (what === 'lost') {
    response.destroy();
    return;
  }
  const etag = upstream.headers.get('etag');
  response.writeHead(upstream.status, {
    'content-length': body.length,
    ...(etag === null ? {} : { etag }),
  });
  if (what === 'flip') body.writeUInt8(body.readUInt8(body.length - 9) ^ 1, body.length - 9);
  if (what === 'cut') {
    // what is written is on its way before the connection is broken
    response.write(body.subarray(0, body.length >> 1), () => response.destroy());
    return;
  }
  response.end(body);
}

/** The bytes of an image at Orthanc: as a stream, and as a file. Never held whole; length and MD5 are compared. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { codeOf } from '@scanflow/failure';
import type { OrthancClient } from './client.ts';
import { connectionFault, corrupt, truncated, unclear, type InstanceBody } from './answers.ts';

export interface RemoteFile {
  readonly size: number;
  /** Fills the buffer's first `length` bytes; in order, each byte once. */
  read(buffer: Buffer, length: number, position: number): Promise<number>;
  close(): void;
}

/**
 * Opens an image. Throws FailureError `ORTHANC_…`, and so does reading: if the bytes are not those that Orthanc received,
 * it throws before it gives out the last of them.
 *
 * @param id Orthanc's identifier of the instance
 */
export async function openImage(client: OrthancClient, id: string, signal: AbortSignal): Promise<RemoteFile> {
  const path = `/instances/${id}/attachments/dicom/data`;
  const first = await client.get(path, signal);
  const size = lengthOf(first);
  const md5 = md5Of(first);
  const hash = createHash('md5');
  let body: Body | undefined = new Body(first, client.url, size);
  /** Bytes that have been given out. */
  let at = 0;
  const close = (): void => {
    body?.close();
    body = undefined;
  };
  return {
    size,
    close,
    read: async (buffer, length) => {
      // an image that waits for its turn keeps none of Orthanc's threads: the rest is requested when it is read
      body ??= await resumed(client, path, { at, size }, signal);
      await body.take(buffer, length);
      at += length;
      hash.update(buffer.subarray(0, length));
      const last = at === size;
      if (last || at === length) close();
      if (last && md5 !== undefined && hash.digest('hex') !== md5) throw corrupt();
      return length;
    },
  };
}

/** The rest from `at` on. Older Orthancs know no ranges: then the bytes before it are skipped. */
async function resumed(
  client: OrthancClient,
  path: string,
  { at, size }: { readonly at: number; readonly size: number },
  signal: AbortSignal,
): Promise<Body> {
  const response = await client.get(path, signal, { range: `bytes=${at}-` });
  const body = new Body(response, client.url, response.statusCode === 206 ? size - at : size);
  if (response.statusCode === 206) return body;
  try {
    await body.skip(at);
  } catch (error) {
    body.close();
    throw error;
  }
  return body;
}

/** Cuts an answer into pieces of the wanted lengths. */
class Body {
  readonly #response: IncomingMessage;
  readonly #source: AsyncIterator<Buffer>;
  readonly #url: string;
  readonly #promised: number;
  #left: Buffer = Buffer.alloc(0);
  #came = 0;

  constructor(response: IncomingMessage, url: string, promised: number) {
    this.#response = response;
    this.#source = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#url = url;
    this.#promised = promised;
  }

  async take(buffer: Buffer, length: number): Promise<void> {
    for (let filled = 0; filled < length;) {
      const part = await this.#next(length - filled);
      part.copy(buffer, filled);
      filled += part.length;
    }
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0;) left -= (await this.#next(left)).length;
  }

  close(): void {
    // read to its end, the connection may serve again
    if (!this.#response.complete || this.#came < this.#promised) this.#response.destroy();
    else this.#response.resume();
  }

  async #next(most: number): Promise<Buffer> {
    if (this.#left.length === 0) {
      try {
        const next = await this.#source.next();
        if (next.done === true) throw truncated(this.#promised, this.#came);
        this.#left = next.value;
      } catch (error) {
        if (error instanceof Error && error.name === 'AbortError') throw error;
        throw connectionFault(error, this.#url);
      }
      this.#came += this.#left.length;
    }
    const part = this.#left.subarray(0, most);
    this.#left = this.#left.subarray(part.length);
    return part;
  }
}

/** Orthanc 1.12.7 records it for files of 2 GiB and more. */
export const MD5_OF_NOTHING = 'd41d8cd98f00b204e9800998ecf8427e';

/** An answer as the body of a file. Throws FailureError ORTHANC_UNCLEAR if it comes without its length. */
export function bodyOf(response: IncomingMessage, url: string): InstanceBody {
  const bytes = lengthOf(response);
  return { bytes, md5: md5Of(response), chunks: chunksOf(response, url, bytes) };
}

function lengthOf(response: IncomingMessage): number {
  const bytes = Number(response.headers['content-length'] ?? Number.NaN);
  if (Number.isSafeInteger(bytes)) return bytes;
  response.destroy();
  throw unclear('an image came without its length');
}

/** The ETag is "<revision>-<MD5 of the uncompressed file>", from the database and not from the bytes. */
function md5Of({ headers }: IncomingMessage): string | undefined {
  const md5 = /^"\d+-([0-9a-f]{32})"$/.exec(headers.etag ?? '')?.[1];
  // without an MD5, the length alone decides
  return md5 === MD5_OF_NOTHING ? undefined : md5;
}

async function* chunksOf(
  response: IncomingMessage,
  url: string,
  promised: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      size += part.length;
      yield part;
    }
  } catch (error) {
    throw codeOf(error) === 'ABORT_ERR' ? error : connectionFault(error, url);
  } finally {
    // left unread (an error of the reader's, or enough was seen): the connection must not wait for it
    if (!response.complete) response.destroy();
  }
  if (size !== promised) throw truncated(promised, size);
}

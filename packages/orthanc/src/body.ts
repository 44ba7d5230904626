/** The bytes of a file that Orthanc has: as they are, with length and MD5 before the first of them. */
import type { IncomingMessage } from 'node:http';
import { codeOf } from '@scanflow/failure';
import { connectionFault, truncated, unclear } from './faults.ts';

/** Orthanc 1.12.7 records it for files of 2 GiB and more. */
export const MD5_OF_NOTHING = 'd41d8cd98f00b204e9800998ecf8427e';

export interface InstanceBody {
  /** Content-Length. */
  readonly bytes: number;
  /** What Orthanc computed when it received the instance; undefined if it keeps none. */
  readonly md5: string | undefined;
  /** Throws FailureError if the connection breaks or fewer bytes come. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** An answer as the body of a file. Throws FailureError ORTHANC_UNCLEAR if it comes without its length. */
export function bodyOf(response: IncomingMessage, url: string): InstanceBody {
  const bytes = lengthOf(response);
  return { bytes, md5: md5Of(response), chunks: chunksOf(response, url, bytes) };
}

export function lengthOf(response: IncomingMessage): number {
  const bytes = Number(response.headers['content-length'] ?? Number.NaN);
  if (Number.isSafeInteger(bytes)) return bytes;
  response.destroy();
  throw unclear('an image came without its length');
}

/** The ETag is "<revision>-<MD5 of the uncompressed file>", from the database and not from the bytes. */
export function md5Of({ headers }: IncomingMessage): string | undefined {
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

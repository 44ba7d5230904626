/** Calendars that another program writes as a file. */
import { open } from 'node:fs/promises';
import { codeOf } from '@scanflow/chassis';
import type { Fetched, Source, SourceLimits } from '../source.ts';

export function fileSource(path: string, { maxSize }: SourceLimits): Source {
  return {
    async fetch(validators) {
      try {
        return await read(path, validators.etag, maxSize);
      } catch (error) {
        const code = codeOf(error) ?? 'unknown';
        const [kind, what] =
          code === 'ENOENT' ? ['FETCH_NOT_FOUND', 'is not there'] : ['FETCH_FILE', 'cannot be read'];
        return {
          kind: 'failed',
          failure: {
            kind: 'permanent',
            code: kind,
            message: `The calendar file ${what} (${code}). Check its path and permissions.`,
          },
        };
      }
    },
  };
}

/** The file's place, size and time stand for its content: the same again is not read again. */
async function read(path: string, known: string | undefined, maxSize: number): Promise<Fetched> {
  const file = await open(path, 'r');
  try {
    const { ino, size, mtimeNs } = await file.stat({ bigint: true });
    const etag = `${ino}-${size}-${mtimeNs}`;
    if (etag === known) return { kind: 'notModified' };
    if (size > BigInt(maxSize)) {
      const message = `The calendar file is larger than ${maxSize} bytes. Publish a shorter span of time, or raise maxSize.`;
      return { kind: 'failed', failure: { kind: 'permanent', code: 'FETCH_TOO_LARGE', message } };
    }
    return { kind: 'body', bytes: await file.readFile(), validators: { etag } };
  } finally {
    await file.close();
  }
}

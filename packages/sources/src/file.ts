/** Reads calendars that another program writes as a file. */
import { stat } from 'node:fs/promises';
import { codeOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';
import type { Source, SourceLimits } from './source.ts';
import { Stop } from './web/stop.ts';

export function fileSource(path: string, { maxSize }: Pick<SourceLimits, 'maxSize'>): Source {
  return {
    async fetch(validators) {
      try {
        // inode, size and time identify the content, so that an unchanged file is not read again
        const found = await stat(path, { bigint: true });
        if (!found.isFile())
          throw new Stop('permanent', 'FETCH_FILE', 'The calendar file is no file. Check its path.');
        const etag = `${found.ino}-${found.size}-${found.mtimeNs}`;
        if (etag === validators.etag) return { kind: 'notModified' };
        const bytes = await readBounded(path, maxSize);
        if (bytes.length > maxSize) throw tooLarge(maxSize);
        return { kind: 'body', bytes, validators: { etag } };
      } catch (error) {
        return (error instanceof Stop ? error : unreadable(codeOf(error) ?? 'unknown')).fetched;
      }
    },
  };
}

const tooLarge = (maxSize: number): Stop =>
  new Stop(
    'permanent',
    'FETCH_TOO_LARGE',
    `The calendar file is larger than ${maxSize} bytes. Publish a shorter span of time, or raise maxSize.`,
  );

const unreadable = (code: string): Stop =>
  code === 'ENOENT'
    ? new Stop(
        'permanent',
        'FETCH_NOT_FOUND',
        'The calendar file is not there (ENOENT). Check its path, and whether what it is on is mounted.',
      )
    : new Stop(
        'permanent',
        'FETCH_FILE',
        `The calendar file cannot be read (${code}). Check its path and permissions.`,
      );

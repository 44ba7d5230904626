/** Reads calendars that another program keeps as a file, or as .ics files in a folder (vdir). */
import { readdir, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isWholeCalendar, toPlain } from '@scanflow/calendar';
import { codeOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';
import { type Fetched, type Source, type SourceLimits, Stop } from './source.ts';

const MOST_FILES = 100_000;
const AT_ONCE = 16;
const LINE_BREAK = Buffer.from('\r\n');

/** Joins all `*.ics` files of the folder, except hidden ones. An incomplete file fails the fetch. */
export function folderSource(folder: string, { maxSize }: Pick<SourceLimits, 'maxSize'>): Source {
  return {
    async fetch(validators) {
      try {
        return await read(folder, validators.etag, maxSize);
      } catch (error) {
        return (error instanceof Stop ? error : unreadable(codeOf(error) ?? 'unknown')).fetched;
      }
    },
  };
}

async function read(folder: string, known: string | undefined, maxSize: number): Promise<Fetched> {
  const names = await list(folder);
  const etag = await stampOf(folder, names, maxSize);
  if (etag === known) return { kind: 'notModified' };
  const parts: Uint8Array[] = [];
  let left = maxSize;
  for (const [index, name] of names.entries()) {
    const bytes = await readBounded(join(folder, name), left);
    left -= bytes.length + LINE_BREAK.length;
    if (left < 0) throw tooLarge(maxSize);
    // normalise each file, so that together they form one calendar
    const text = toPlain(bytes).bytes;
    if (!isWholeCalendar(text)) throw notWhole(index + 1, names.length);
    parts.push(text, LINE_BREAK);
  }
  if ((await stampOf(folder, await list(folder), maxSize)) !== etag)
    throw new Stop(
      'transient',
      'FETCH_CHANGING',
      'The calendar folder changed while it was read; again soon.',
    );
  return { kind: 'body', bytes: Buffer.concat(parts), validators: { etag } };
}

async function list(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^[^.].*\.ics$/i.test(name)).sort();
  if (names.length === 0)
    throw new Stop(
      'permanent',
      'FETCH_EMPTY_FOLDER',
      'The calendar folder holds no .ics file. Check its path, and whether it is mounted; where there are no bookings, put in a calendar without events.',
    );
  if (names.length > MOST_FILES)
    throw new Stop(
      'permanent',
      'FETCH_TOO_LARGE',
      `The calendar folder holds more than ${MOST_FILES} files. Take old bookings out.`,
    );
  return names;
}

/** Names, inodes, sizes and times of all files identify their content. */
async function stampOf(folder: string, names: readonly string[], maxSize: number): Promise<string> {
  const hash = createHash('sha256');
  let size = 0n;
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE);
    const found = await Promise.all(some.map((name) => stat(join(folder, name), { bigint: true })));
    for (const [index, one] of found.entries()) {
      if (!one.isFile())
        throw new Stop(
          'permanent',
          'FETCH_FILE',
          'Something in the calendar folder ends in .ics and is no file.',
        );
      size += one.size;
      hash.update(`${some[index] ?? ''}\0${one.ino}-${one.size}-${one.mtimeNs}\0`);
    }
  }
  if (size > BigInt(maxSize)) throw tooLarge(maxSize);
  return hash.digest('hex');
}

const notWhole = (place: number, of: number): Stop =>
  new Stop(
    'transient',
    'FEED_TRUNCATED',
    `The calendar folder holds a file that is no whole calendar: by name the ${place}. of ${of}. It is tried again; if it stays, replace that file.`,
  );

const tooLarge = (maxSize: number): Stop =>
  new Stop(
    'permanent',
    'FETCH_TOO_LARGE',
    `The calendar folder holds more than ${maxSize} bytes. Take old bookings out, or raise maxSize.`,
  );

const unreadable = (code: string): Stop =>
  code === 'ENOENT'
    ? new Stop(
        'transient',
        'FETCH_NOT_FOUND',
        'The calendar folder, or a file in it, is not there (ENOENT). Check its path, and whether it is mounted.',
      )
    : new Stop(
        'permanent',
        'FETCH_FILE',
        `The calendar folder cannot be read (${code}). Check its path and permissions.`,
      );

/**
 * A calendar in a file, which is read again only if it changed.
 *
 * @param options `maxSize`: longest file in bytes; a longer one is a failure
 */
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
        if (bytes.length > maxSize) throw fileTooLarge(maxSize);
        return { kind: 'body', bytes, validators: { etag } };
      } catch (error) {
        return (error instanceof Stop ? error : fileUnreadable(codeOf(error) ?? 'unknown')).fetched;
      }
    },
  };
}

const fileTooLarge = (maxSize: number): Stop =>
  new Stop(
    'permanent',
    'FETCH_TOO_LARGE',
    `The calendar file is larger than ${maxSize} bytes. Publish a shorter span of time, or raise maxSize.`,
  );

const fileUnreadable = (code: string): Stop =>
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

/** A SQLite ledger whose file is damaged: how that shows, and how the file is kept. */
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { fsyncFolder } from '@scanflow/runtime';
import { FailureError, codeOf } from '@scanflow/failure';

/** SQLITE_CORRUPT and SQLITE_NOTADB; the higher bits of a result say which kind. */
const DAMAGE: ReadonlySet<number> = new Set([11, 26]);

/** Undefined for an error that says nothing about the file. */
export function damageIn(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return DAMAGE.has(Number(error.errcode) & 0xff) ? error.message : undefined;
}

/** The ledger cannot be trusted any more. `what` is what SQLite says. */
export const damaged = (path: string, what: string): FailureError =>
  new FailureError({
    kind: 'permanent',
    code: 'LEDGER_CORRUPT',
    message:
      `The ledger ${path} is damaged (${what}). Nothing is lost: the images are in Orthanc and in project storage. ` +
      'Check the disk, then: scanflow ledger rebuild. It keeps the damaged file aside and makes a new ledger.',
  });

/** Where each series stands comes first, lists of single images last. */
const LAST: ReadonlySet<string> = new Set(['progress', 'delivery', 'commitment']);

/**
 * Reads the tables and looks whether they hold together; what SQLite says of the first that does not. A ledger too large for
 * `limitMs` is looked at in part: damage in the rest shows with the statement that meets it.
 */
export function quickCheck(
  db: DatabaseSync,
  limitMs: number,
  clock = (): number => performance.now(),
): string | undefined {
  const until = clock() + limitMs;
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
    .all()
    .map((row) => String(row['name']))
    .toSorted((a, b) => Number(LAST.has(a)) - Number(LAST.has(b)));
  for (const table of tables) {
    if (clock() > until) return undefined;
    const said = db.prepare(`PRAGMA quick_check('${table.replaceAll("'", "''")}')`).get()?.['quick_check'];
    if (said !== 'ok') return String(said);
  }
  return undefined;
}

/**
 * Gives the ledger another name, with what SQLite keeps beside it, and gives that name. Nothing is deleted: what can still
 * be read in it may be wanted.
 */
export async function putAside(path: string, now: Temporal.Instant): Promise<string> {
  const stamp = now.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const aside = `${path}.aside-${stamp}`;
  // the file itself last: while it is there, it is found damaged again, and all of it goes
  for (const suffix of ['-wal', '-shm', ''])
    await rename(`${path}${suffix}`, `${aside}${suffix}`).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  await fsyncFolder(dirname(path));
  return join(dirname(path), basename(aside));
}

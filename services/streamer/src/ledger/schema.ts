/** The ledger's tables: `schema/` has a file for each change of them, in the order of its numbers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FailureError } from '@scanflow/failure';

/** A ledger of a version that this Scanflow does not know is left alone. */
export const tooNew = (version: number): FailureError =>
  new FailureError({
    kind: 'permanent',
    code: 'LEDGER_TOO_NEW',
    message: `The ledger was written by a newer Scanflow (version ${version}). Run that one, or restore a backup.`,
  });

const FOLDER = join(import.meta.dirname, 'schema');

/** Files are only ever added; the database keeps the number of those that were applied. */
export const MIGRATIONS: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => readFileSync(join(FOLDER, name), 'utf8'));

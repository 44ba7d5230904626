/** Fills a ledger with series that are finished, by SQL: for tests of its plans and for its bench. */
import type { Database } from '@scanflow/database';

/** Each with a storage leg and one of a destination, both done, and verified: due again one after the other. */
export async function addFinished(database: Database, count: number): Promise<void> {
  const series = `INSERT INTO series (id, state, first_seen, updated, attributes, path, increment, in_orthanc, stored, digest)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    SELECT 'finished-' || i, 'complete', i, i, '{"Modality":"MR"}', 'p/' || i, 1, 100, 100, 'd' FROM n`;
  const leg = (target: string): string =>
    `INSERT INTO leg (series, target, state, done, total, through, updated)
     SELECT id, '${target}', 'done', 100, 100, 1, updated FROM series WHERE state = 'complete'`;
  await database.transaction(async (db) => {
    await db.run(series);
    await db.run(leg('storage'));
    await db.run(leg('pacs'));
    await db.run(
      `INSERT INTO verification (series, place, stored, due, looked, good) SELECT id, 'storage', updated, updated + 10000000, updated, updated FROM series`,
    );
    // PostgreSQL has to know of it to plan well; by itself it learns within minutes
    await db.run('ANALYZE');
  });
}

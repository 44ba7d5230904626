/** Links of consoles and the cookies that came of them: an SQLite file of its own, or the board's PostgreSQL. Only digests are kept. */
import { createHash, randomBytes } from 'node:crypto';
import type { Database, Row, Statements, Value } from '@scanflow/database';

/** Each entry brings the tables one step forward. Entries are added, never changed. */
export const CONSOLE_MIGRATIONS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS console (
     name TEXT PRIMARY KEY, link TEXT NOT NULL UNIQUE, made INTEGER NOT NULL) STRICT;
   CREATE TABLE IF NOT EXISTS cookie (
     digest TEXT PRIMARY KEY, console TEXT NOT NULL REFERENCES console (name) ON DELETE CASCADE,
     made INTEGER NOT NULL, seen INTEGER NOT NULL,
     replaces TEXT, renewed INTEGER, until INTEGER) STRICT;`,
];

/** A cookie gets a new word after this time, and ends when it was not used for that long. */
const RENEW_MS = 3_600_000;
export const IDLE_MS = 30 * 86_400_000;
/** The former word counts for so long after the new one came back: pages that were loading have it still. */
const GRACE_MS = 60_000;
/** Where the answer with a new word was lost, another one is made after this time. */
const AGAIN_MS = 60_000;
/** Cookies of one console. The one that was not used for longest goes: a kiosk may open its link at each start. */
const MOST_COOKIES = 50;

export interface ConsoleLink {
  readonly name: string;
  readonly made: number;
  /** Cookies that count. */
  readonly open: number;
  /** When a page was last loaded. */
  readonly seen?: number;
}

/**
 * Times are epoch milliseconds. All writes are transactions, and on disk when they resolve. Every method throws the
 * FailureErrors of the database.
 */
export class ConsoleStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  async list(): Promise<ConsoleLink[]> {
    const rows = await this.#db.read((tx) =>
      tx.all(
        `SELECT c.name, c.made, COUNT(k.digest) AS cookies, MAX(k.seen) AS latest
         FROM console c LEFT JOIN cookie k ON k.console = c.name GROUP BY c.name, c.made ORDER BY c.name`,
      ),
    );
    return rows.map((row) => ({
      name: String(row['name']),
      made: Number(row['made']),
      open: Number(row['cookies']),
      ...(row['latest'] === null ? {} : { seen: Number(row['latest']) }),
    }));
  }

  /** The word of a new link. A former link of this console and its cookies no longer count. */
  async link(name: string, now: number): Promise<string> {
    const word = newWord();
    await this.#db.transaction(async (tx) => {
      await tx.run('DELETE FROM console WHERE name = ?', [name]);
      await tx.run('INSERT INTO console (name, link, made) VALUES (?, ?, ?)', [name, digest(word), now]);
    });
    return word;
  }

  /** Answers whether there was a link. */
  async revoke(name: string): Promise<boolean> {
    const removed = await this.#db.transaction((tx) => tx.run('DELETE FROM console WHERE name = ?', [name]));
    return removed === 1;
  }

  /** The word of a new cookie for whoever has the link of this console; undefined where the word is none. */
  open(name: string, word: string, now: number): Promise<string | undefined> {
    return this.#db.transaction(async (tx) => {
      const known = await tx.get('SELECT name FROM console WHERE name = ? AND link = ?', [
        name,
        digest(word),
      ]);
      return known === undefined ? undefined : add(tx, name, now);
    });
  }

  /** Whether a cookie opens this console. */
  async counts(name: string, word: string, now: number): Promise<boolean> {
    return (await this.#db.read((tx) => cookieOf(tx, name, word, now))) !== undefined;
  }

  /** The same, when a page is loaded. `renewed`: the word that the cookie gets, where its own is old. */
  use(name: string, word: string, now: number): Promise<{ readonly renewed?: string } | undefined> {
    return this.#db.transaction(async (tx) => {
      const row = await cookieOf(tx, name, word, now, tx.dialect.lock);
      if (row === undefined) return undefined;
      const own = digest(word);
      await tx.run('UPDATE cookie SET seen = ? WHERE digest = ?', [now, own]);
      const { replaces } = row;
      if (typeof replaces === 'string') {
        await tx.run('UPDATE cookie SET until = ? WHERE digest = ?', [now + GRACE_MS, replaces]);
        await tx.run('UPDATE cookie SET replaces = NULL WHERE digest = ?', [own]);
      }
      const isOld = Number(row['made']) + RENEW_MS <= now && row['until'] === null;
      if (!isOld || Number(row['renewed'] ?? 0) + AGAIN_MS > now) return {};
      await tx.run('UPDATE cookie SET renewed = ? WHERE digest = ?', [now, own]);
      return { renewed: await add(tx, name, now, own) };
    });
  }
}

/** `lock`: of the dialect, for whoever changes the row. */
function cookieOf(
  tx: Statements,
  name: string,
  word: string,
  now: number,
  lock = '',
): Promise<Row | undefined> {
  return tx.get(
    `SELECT * FROM cookie WHERE digest = ? AND console = ? AND seen >= ? AND (until IS NULL OR until >= ?) ${lock}`,
    [digest(word), name, now - IDLE_MS, now],
  );
}

async function add(tx: Statements, name: string, now: number, replaces: Value = null): Promise<string> {
  const word = newWord();
  await tx.run('DELETE FROM cookie WHERE seen < ? OR until < ?', [now - IDLE_MS, now]);
  await tx.run(
    `DELETE FROM cookie WHERE console = ? AND digest NOT IN
       (SELECT digest FROM cookie WHERE console = ? ORDER BY seen DESC LIMIT ?)`,
    [name, name, MOST_COOKIES - 1],
  );
  await tx.run('INSERT INTO cookie (digest, console, made, seen, replaces) VALUES (?, ?, ?, ?, ?)', [
    ...[digest(word), name, now, now],
    replaces,
  ]);
  return word;
}

const newWord = (): string => randomBytes(32).toString('base64url');

/** A random word of 256 bits needs no slow hash: nobody can guess it. */
const digest = (word: string): string => createHash('sha256').update(word).digest('hex');

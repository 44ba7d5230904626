/** Links of consoles and the cookies that came of them: an SQLite file of its own. Only digests are kept. */
import { createHash, randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS console (
    name TEXT PRIMARY KEY, link TEXT NOT NULL UNIQUE, made INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS cookie (
    digest TEXT PRIMARY KEY, console TEXT NOT NULL REFERENCES console (name) ON DELETE CASCADE,
    made INTEGER NOT NULL, seen INTEGER NOT NULL,
    replaces TEXT, renewed INTEGER, until INTEGER) STRICT;`;

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

/** Times are epoch milliseconds. All writes are on disk when they return. */
export class ConsoleStore {
  readonly #db: DatabaseSync;

  /** Opens or makes the file. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { enableForeignKeyConstraints: true });
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
    this.#db.exec(SCHEMA);
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  list(): ConsoleLink[] {
    const rows = this.#db
      .prepare(
        `SELECT name, c.made, COUNT(k.digest) AS open, MAX(k.seen) AS seen
         FROM console c LEFT JOIN cookie k ON k.console = c.name GROUP BY name ORDER BY name`,
      )
      .all();
    return rows.map((row) => ({
      name: String(row['name']),
      made: Number(row['made']),
      open: Number(row['open']),
      ...(row['seen'] === null ? {} : { seen: Number(row['seen']) }),
    }));
  }

  /** The word of a new link. A former link of this console and its cookies no longer count. */
  link(name: string, now: number): string {
    const word = newWord();
    this.#tx(() => {
      this.#run('DELETE FROM console WHERE name = ?', name);
      this.#run('INSERT INTO console (name, link, made) VALUES (?, ?, ?)', name, digest(word), now);
    });
    return word;
  }

  /** Answers whether there was a link. */
  revoke(name: string): boolean {
    return this.#run('DELETE FROM console WHERE name = ?', name) === 1;
  }

  /** The word of a new cookie for whoever has the link of this console; undefined where the word is none. */
  open(name: string, word: string, now: number): string | undefined {
    return this.#tx(() => {
      const known = this.#get('SELECT 1 FROM console WHERE name = ? AND link = ?', name, digest(word));
      return known === undefined ? undefined : this.#add(name, now);
    });
  }

  /** Whether a cookie opens this console. */
  counts(name: string, word: string, now: number): boolean {
    return this.#cookie(name, word, now) !== undefined;
  }

  /** The same, when a page is loaded. `renewed`: the word that the cookie gets, where its own is old. */
  use(name: string, word: string, now: number): { readonly renewed?: string } | undefined {
    return this.#tx(() => {
      const row = this.#cookie(name, word, now);
      if (row === undefined) return undefined;
      const own = digest(word);
      this.#run('UPDATE cookie SET seen = ? WHERE digest = ?', now, own);
      const { replaces } = row;
      if (typeof replaces === 'string') {
        this.#run('UPDATE cookie SET until = ? WHERE digest = ?', now + GRACE_MS, replaces);
        this.#run('UPDATE cookie SET replaces = NULL WHERE digest = ?', own);
      }
      const isOld = Number(row['made']) + RENEW_MS <= now && row['until'] === null;
      if (!isOld || Number(row['renewed'] ?? 0) + AGAIN_MS > now) return {};
      this.#run('UPDATE cookie SET renewed = ? WHERE digest = ?', now, own);
      return { renewed: this.#add(name, now, own) };
    });
  }

  #cookie(name: string, word: string, now: number): Record<string, unknown> | undefined {
    return this.#get(
      'SELECT * FROM cookie WHERE digest = ? AND console = ? AND seen >= ? AND (until IS NULL OR until >= ?)',
      digest(word),
      name,
      now - IDLE_MS,
      now,
    );
  }

  #add(name: string, now: number, replaces: string | null = null): string {
    const word = newWord();
    this.#run('DELETE FROM cookie WHERE seen < ? OR until < ?', now - IDLE_MS, now);
    this.#run(
      `DELETE FROM cookie WHERE console = ? AND digest NOT IN
         (SELECT digest FROM cookie WHERE console = ? ORDER BY seen DESC LIMIT ?)`,
      name,
      name,
      MOST_COOKIES - 1,
    );
    this.#run(
      'INSERT INTO cookie (digest, console, made, seen, replaces) VALUES (?, ?, ?, ?, ?)',
      digest(word),
      name,
      now,
      now,
      replaces,
    );
    return word;
  }

  #get(sql: string, ...values: (string | number)[]): Record<string, unknown> | undefined {
    return this.#db.prepare(sql).get(...values);
  }

  #run(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.#db.prepare(sql).run(...values).changes);
  }

  #tx<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

const newWord = (): string => randomBytes(32).toString('base64url');

/** A random word of 256 bits needs no slow hash: nobody can guess it. */
const digest = (word: string): string => createHash('sha256').update(word).digest('hex');

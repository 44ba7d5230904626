/** Users, their sessions and invitations, and the audit log, in the board's own database. */
import { createHash, randomBytes } from 'node:crypto';
import type { Database, Row, Statements, Value } from '@scanflow/database';
import { ROLES, type Identity, type Person } from './roles.ts';

/** Each entry brings the tables one step forward. Entries are added, never changed. SQL reserves the word "user". */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE "user" (
     name TEXT PRIMARY KEY, role TEXT NOT NULL, projects TEXT NOT NULL, addresses TEXT NOT NULL,
     password TEXT, created INTEGER NOT NULL) STRICT;
   CREATE TABLE session (
     digest TEXT PRIMARY KEY, "user" TEXT NOT NULL REFERENCES "user" (name) ON DELETE CASCADE,
     created INTEGER NOT NULL, seen INTEGER NOT NULL, address TEXT NOT NULL) STRICT;
   CREATE INDEX "session_user" ON session ("user");
   CREATE TABLE invitation (
     digest TEXT PRIMARY KEY, "user" TEXT NOT NULL REFERENCES "user" (name) ON DELETE CASCADE,
     expires INTEGER NOT NULL) STRICT;
   CREATE TABLE audit (
     id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL,
     what TEXT NOT NULL, subject TEXT NOT NULL, result TEXT NOT NULL) STRICT;
   CREATE INDEX audit_at ON audit (at);
   CREATE TABLE spent (word TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;`,
  // of users whom an identity provider names; `verified` is their address, and `ends` is when their session does
  `ALTER TABLE "user" ADD COLUMN issuer TEXT;
   ALTER TABLE "user" ADD COLUMN subject TEXT;
   ALTER TABLE "user" ADD COLUMN verified TEXT;
   CREATE UNIQUE INDEX user_identity ON "user" (issuer, subject);
   ALTER TABLE session ADD COLUMN ends INTEGER;`,
];

/** A session ends this long after its last request, and this long after signing in whatever happens. */
const IDLE_MS = 12 * 3_600_000;
const LONGEST_MS = 7 * 24 * 3_600_000;
/** `seen` is written at most so often: not at each request. */
const SEEN_MS = 60_000;
export const INVITED_MS = 24 * 3_600_000;

export interface AuditEntry {
  readonly at: number;
  /** Name of the user; empty where nobody was signed in. */
  readonly who: string;
  readonly address: string;
  readonly what: string;
  /** IDs and accession numbers, never names of patients. */
  readonly subject: string;
  readonly result: string;
}

export interface UserRow extends Person {
  readonly hasPassword: boolean;
  /** The part of `addresses` that an administrator entered. */
  readonly entered: readonly string[];
  /** The identity provider that names the user; undefined for one whom an administrator made. */
  readonly issuer: string | undefined;
}

/** A browser in which somebody is signed in. */
export interface Session {
  readonly created: number;
  readonly seen: number;
  readonly address: string;
  /** Whether it is the one that asks. */
  readonly own: boolean;
}

/**
 * Times are epoch milliseconds. All writes are transactions, and on disk when they resolve. Every method throws the
 * FailureErrors of the database.
 */
export class AccessStore {
  readonly #db: Database;
  #issuer: string | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  async users(): Promise<UserRow[]> {
    return (await this.#all('SELECT * FROM "user" ORDER BY name')).map(userOf);
  }

  async user(name: string): Promise<UserRow | undefined> {
    const row = await this.#get('SELECT * FROM "user" WHERE name = ?', name);
    return row && userOf(row);
  }

  /** None of somebody whom an identity provider names: that one alone lets them in. */
  async passwordOf(name: string): Promise<string | undefined> {
    const row = await this.#get('SELECT password FROM "user" WHERE name = ? AND issuer IS NULL', name);
    const password = row?.['password'];
    return typeof password === 'string' ? password : undefined;
  }

  /** Answers whether the name was free. */
  async add({ name, role, projects, addresses }: Person, now: number): Promise<boolean> {
    const added = await this.#run(
      'INSERT INTO "user" (name, role, projects, addresses, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ...[name, role, JSON.stringify(projects), JSON.stringify(addresses), now],
    );
    return added === 1;
  }

  /** Role and projects; the person's sessions go on with them. Answers whether there is such a user. */
  async change({ name, role, projects, addresses }: Person): Promise<boolean> {
    const changed = await this.#run(
      'UPDATE "user" SET role = ?, projects = ?, addresses = ? WHERE name = ?',
      ...[role, JSON.stringify(projects), JSON.stringify(addresses), name],
    );
    return changed === 1;
  }

  /**
   * Makes or updates the user whom an identity provider names, and answers the name here. It stays from the first time on.
   * A name that another user has is not shared: a provider's names prove nothing.
   */
  async identify(identity: Identity, now: number): Promise<string> {
    const name = await this.#db.transaction((tx) => identify(tx, identity, now));
    if (name === undefined) throw new Error(`the users ${identity.names.join(' and ')} are somebody else`);
    return name;
  }

  /** From now on, sessions of users of other identity providers count no more: who left the configuration opens nothing. */
  keepIssuer(issuer: string | undefined): void {
    this.#issuer = issuer;
  }

  /** The sessions and invitations go, too. */
  async remove(name: string): Promise<boolean> {
    return (await this.#run('DELETE FROM "user" WHERE name = ?', name)) === 1;
  }

  /** A new password signs the user out everywhere, and spends all invitations. */
  setPassword(name: string, hash: string): Promise<void> {
    return this.#db.transaction((tx) => setPassword(tx, name, hash));
  }

  /** A one-time word, for a link with which the user sets a password. Earlier ones of that user no longer count. */
  async invite(name: string, now: number): Promise<string> {
    const word = newWord();
    await this.#db.transaction(async (tx) => {
      await tx.run('DELETE FROM invitation WHERE "user" = ? OR expires < ?', [name, now]);
      await tx.run('INSERT INTO invitation (digest, "user", expires) VALUES (?, ?, ?)', [
        digest(word),
        name,
        now + INVITED_MS,
      ]);
    });
    return word;
  }

  /** Whom an invitation is for; undefined where it was used, is too old, or never was one. */
  invited(word: string, now: number): Promise<string | undefined> {
    return this.#db.read((tx) => invited(tx, word, now));
  }

  /** Sets the password of the invited user, once. Answers the name; undefined where the invitation no longer counts. */
  accept(word: string, hash: string, now: number): Promise<string | undefined> {
    return this.#db.transaction(async (tx) => {
      const name = await invited(tx, word, now);
      // whoever deletes it has it: a second one at the same time finds nothing
      const mine = await tx.run('DELETE FROM invitation WHERE digest = ?', [digest(word)]);
      if (name === undefined || mine !== 1) return undefined;
      await setPassword(tx, name, hash);
      return name;
    });
  }

  /** The word of a new session, for the cookie. Only its digest is kept. `longestMs`: it ends then at the latest. */
  async signIn(name: string, address: string, now: number, longestMs = LONGEST_MS): Promise<string> {
    const word = newWord();
    await this.#db.transaction(async (tx) => {
      await tx.run('DELETE FROM session WHERE seen < ? OR created < ?', [now - IDLE_MS, now - LONGEST_MS]);
      await tx.run(
        'INSERT INTO session (digest, "user", created, seen, address, ends) VALUES (?, ?, ?, ?, ?, ?)',
        [digest(word), name, now, now, address, now + longestMs],
      );
    });
    return word;
  }

  /** Whose session it is; undefined where it ended. */
  async signedIn(word: string, now: number): Promise<Person | undefined> {
    const row = await this.#get(
      'SELECT u.*, s.seen FROM session s JOIN "user" u ON u.name = s."user" WHERE s.digest = ? AND s.seen >= ? AND s.created >= ? AND COALESCE(s.ends, ?) >= ? AND COALESCE(u.issuer, ?) = ?',
      digest(word),
      ...[now - IDLE_MS, now - LONGEST_MS, now, now],
      ...[this.#issuer ?? '', this.#issuer ?? ''],
    );
    if (row === undefined) return undefined;
    if (now - Number(row['seen']) > SEEN_MS)
      await this.#run('UPDATE session SET seen = ? WHERE digest = ?', now, digest(word));
    return userOf(row);
  }

  /** Those that did not end, the latest first. `word`: of the session that asks. */
  async sessions(name: string, now: number, word = ''): Promise<Session[]> {
    const rows = await this.#all(
      'SELECT * FROM session WHERE "user" = ? AND seen >= ? AND created >= ? AND COALESCE(ends, ?) >= ? ORDER BY seen DESC, digest',
      name,
      now - IDLE_MS,
      now - LONGEST_MS,
      now,
      now,
    );
    const own = digest(word);
    return rows.map((row) => ({
      created: Number(row['created']),
      seen: Number(row['seen']),
      address: String(row['address']),
      own: row['digest'] === own,
    }));
  }

  async signOut(word: string): Promise<void> {
    await this.#run('DELETE FROM session WHERE digest = ?', digest(word));
  }

  /** Answers how many sessions it ended. */
  signOutEverywhere(name: string): Promise<number> {
    return this.#run('DELETE FROM session WHERE "user" = ?', name);
  }

  /** The same for whom an identity provider names. */
  signOutIdentity(issuer: string, subject: string): Promise<number> {
    return this.#run(
      'DELETE FROM session WHERE "user" IN (SELECT name FROM "user" WHERE issuer = ? AND subject = ?)',
      ...[issuer, subject],
    );
  }

  async audit({ at, who, address, what, subject, result }: AuditEntry): Promise<void> {
    await this.#run(
      'INSERT INTO audit (at, who, address, what, subject, result) VALUES (?, ?, ?, ?, ?, ?)',
      ...[at, who, address, what, subject, result],
    );
  }

  /** The latest first. `before`: an ID, for the next page. */
  async audited(
    limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): Promise<(AuditEntry & { readonly id: number })[]> {
    const rows = await this.#all('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?', before, limit);
    return rows.map((row) => ({ id: Number(row['id']), ...entryOf(row) }));
  }

  /** What people did to these, the earliest first. */
  async auditedOf(subjects: readonly string[], limit: number): Promise<AuditEntry[]> {
    if (subjects.length === 0) return [];
    const places = subjects.map(() => '?').join(', ');
    const rows = await this.#all(
      `SELECT * FROM audit WHERE subject IN (${places}) ORDER BY id DESC LIMIT ?`,
      ...subjects,
      limit,
    );
    return rows.map(entryOf).reverse();
  }

  /** Whether the word of a form comes for the first time. Words are kept for as long as a page may stay open. */
  spend(word: string, now: number): Promise<boolean> {
    return this.#db.transaction(async (tx) => {
      await tx.run('DELETE FROM spent WHERE at < ?', [now - LONGEST_MS]);
      const values = [word, now];
      return (
        (await tx.run('INSERT INTO spent (word, at) VALUES (?, ?) ON CONFLICT DO NOTHING', values)) === 1
      );
    });
  }

  #get(sql: string, ...values: Value[]): Promise<Row | undefined> {
    return this.#db.read((tx) => tx.get(sql, values));
  }

  #all(sql: string, ...values: Value[]): Promise<Row[]> {
    return this.#db.read((tx) => tx.all(sql, values));
  }

  /** Number of rows that it changed. */
  #run(sql: string, ...values: Value[]): Promise<number> {
    return this.#db.transaction((tx) => tx.run(sql, values));
  }
}

async function invited(tx: Statements, word: string, now: number): Promise<string | undefined> {
  const sql = 'SELECT "user" FROM invitation WHERE digest = ? AND expires >= ?';
  const row = await tx.get(sql, [digest(word), now]);
  return row && String(row['user']);
}

async function setPassword(tx: Statements, name: string, hash: string): Promise<void> {
  await tx.run('UPDATE "user" SET password = ? WHERE name = ?', [hash, name]);
  await tx.run('DELETE FROM session WHERE "user" = ?', [name]);
  await tx.run('DELETE FROM invitation WHERE "user" = ?', [name]);
}

async function identify(
  tx: Statements,
  { issuer, subject, names, role, projects, address }: Identity,
  now: number,
): Promise<string | undefined> {
  const values = [role, JSON.stringify(projects), address ?? null];
  const known = await tx.get('SELECT name FROM "user" WHERE issuer = ? AND subject = ?', [issuer, subject]);
  if (known !== undefined) {
    const name = String(known['name']);
    await tx.run('UPDATE "user" SET role = ?, projects = ?, verified = ? WHERE name = ?', [...values, name]);
    return name;
  }
  for (const name of names) {
    const added = await tx.run(
      `INSERT INTO "user" (name, role, projects, addresses, verified, created, issuer, subject)
         VALUES (?, ?, ?, '[]', ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`,
      [name, ...values, now, issuer, subject],
    );
    if (added === 1) return name;
  }
  return undefined;
}

const newWord = (): string => randomBytes(32).toString('base64url');

/** A random word of 256 bits needs no slow hash: nobody can guess it. */
const digest = (word: string): string => createHash('sha256').update(word).digest('hex');

const entryOf = (row: Row): AuditEntry => ({
  at: Number(row['at']),
  who: String(row['who']),
  address: String(row['address']),
  what: String(row['what']),
  subject: String(row['subject']),
  result: String(row['result']),
});

function userOf(row: Row): UserRow {
  const role = ROLES.find((one) => one === row['role']);
  if (role === undefined)
    throw new Error(`a user has the role ${String(row['role'])}, which this version does not know`);
  const list = (key: string): string[] => JSON.parse(String(row[key])) as string[];
  const optional = (key: string): string | undefined => {
    const value = row[key];
    return typeof value === 'string' ? value : undefined;
  };
  const entered = list('addresses');
  const verified = optional('verified');
  return {
    name: String(row['name']),
    role,
    projects: list('projects'),
    addresses: verified === undefined ? entered : [...entered, verified],
    entered,
    hasPassword: row['password'] !== null,
    issuer: optional('issuer'),
  };
}

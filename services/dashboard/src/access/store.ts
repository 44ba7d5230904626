/** Users, their sessions and invitations, and the audit log: one SQLite file of the dashboard's own. */
import { createHash, randomBytes } from 'node:crypto';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { ROLES, type Identity, type Person } from './roles.ts';

/** Each entry brings the file one step forward. Entries are added, never changed. */
const SCHEMA: readonly string[] = [
  `CREATE TABLE user (
     name TEXT PRIMARY KEY, role TEXT NOT NULL, projects TEXT NOT NULL, addresses TEXT NOT NULL,
     password TEXT, created INTEGER NOT NULL) STRICT;
   CREATE TABLE session (
     digest TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
     created INTEGER NOT NULL, seen INTEGER NOT NULL, address TEXT NOT NULL) STRICT;
   CREATE INDEX session_user ON session (user);
   CREATE TABLE invitation (
     digest TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
     expires INTEGER NOT NULL) STRICT;
   CREATE TABLE audit (
     id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL,
     what TEXT NOT NULL, subject TEXT NOT NULL, result TEXT NOT NULL) STRICT;
   CREATE INDEX audit_at ON audit (at);
   CREATE TABLE spent (word TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;`,
  // of users whom an identity provider names; `verified` is their address, and `ends` is when their session does
  `ALTER TABLE user ADD COLUMN issuer TEXT;
   ALTER TABLE user ADD COLUMN subject TEXT;
   ALTER TABLE user ADD COLUMN verified TEXT;
   CREATE UNIQUE INDEX user_identity ON user (issuer, subject);
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

/** Times are epoch milliseconds. All writes are transactions of SQLite, synchronous and on disk when they return. */
export class AccessStore {
  readonly #db: DatabaseSync;

  /** Opens or makes the file. Throws an Error where it is of a newer version. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { enableForeignKeyConstraints: true });
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
    this.#tx(() => {
      const version = Number(this.#get('PRAGMA user_version')?.['user_version']);
      if (version > SCHEMA.length)
        throw new Error(
          `the users' file ${path} is of a newer version: start that version, or restore an older file`,
        );
      for (const step of SCHEMA.slice(version)) this.#db.exec(step);
      this.#db.exec(`PRAGMA user_version = ${SCHEMA.length}`);
    });
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  users(): UserRow[] {
    return this.#all('SELECT * FROM user ORDER BY name').map(userOf);
  }

  user(name: string): UserRow | undefined {
    const row = this.#get('SELECT * FROM user WHERE name = ?', name);
    return row && userOf(row);
  }

  passwordOf(name: string): string | undefined {
    const password = this.#get('SELECT password FROM user WHERE name = ?', name)?.['password'];
    return typeof password === 'string' ? password : undefined;
  }

  /** Answers whether the name was free. */
  add({ name, role, projects, addresses }: Person, now: number): boolean {
    const values = [name, role, JSON.stringify(projects), JSON.stringify(addresses), now];
    return (
      this.#run(
        'INSERT OR IGNORE INTO user (name, role, projects, addresses, created) VALUES (?, ?, ?, ?, ?)',
        ...values,
      ) === 1
    );
  }

  /** Role and projects; the person's sessions go on with them. Answers whether there is such a user. */
  change({ name, role, projects, addresses }: Person): boolean {
    const values = [role, JSON.stringify(projects), JSON.stringify(addresses), name];
    return this.#run('UPDATE user SET role = ?, projects = ?, addresses = ? WHERE name = ?', ...values) === 1;
  }

  /**
   * Makes or updates the user whom an identity provider names, and answers the name here. It stays from the first time on.
   * A name that another user has is not shared: a provider's names prove nothing.
   */
  identify({ issuer, subject, names, role, projects, address }: Identity, now: number): string {
    return this.#tx(() => {
      const known = this.#get('SELECT name FROM user WHERE issuer = ? AND subject = ?', issuer, subject);
      const values = [role, JSON.stringify(projects), address ?? null];
      if (known !== undefined) {
        const name = String(known['name']);
        this.#run('UPDATE user SET role = ?, projects = ?, verified = ? WHERE name = ?', ...values, name);
        return name;
      }
      const name = names.find((one) => this.user(one) === undefined);
      if (name === undefined) throw new Error(`the users ${names.join(' and ')} are somebody else`);
      this.#run(
        "INSERT INTO user (name, role, projects, addresses, verified, created, issuer, subject) VALUES (?, ?, ?, '[]', ?, ?, ?, ?)",
        name,
        ...values,
        now,
        issuer,
        subject,
      );
      return name;
    });
  }

  /** Ends the sessions of users of other identity providers: who left the configuration opens nothing. */
  keepIssuer(issuer: string | undefined): void {
    this.#run(
      'DELETE FROM session WHERE user IN (SELECT name FROM user WHERE issuer IS NOT NULL AND issuer <> ?)',
      issuer ?? '',
    );
  }

  /** The sessions and invitations go, too. */
  remove(name: string): boolean {
    return this.#run('DELETE FROM user WHERE name = ?', name) === 1;
  }

  /** A new password signs the user out everywhere, and spends all invitations. */
  setPassword(name: string, hash: string): void {
    this.#tx(() => {
      this.#run('UPDATE user SET password = ? WHERE name = ?', hash, name);
      this.#run('DELETE FROM session WHERE user = ?', name);
      this.#run('DELETE FROM invitation WHERE user = ?', name);
    });
  }

  /** A one-time word, for a link with which the user sets a password. Earlier ones of that user no longer count. */
  invite(name: string, now: number): string {
    const word = newWord();
    this.#tx(() => {
      this.#run('DELETE FROM invitation WHERE user = ? OR expires < ?', name, now);
      this.#run(
        'INSERT INTO invitation (digest, user, expires) VALUES (?, ?, ?)',
        digest(word),
        name,
        now + INVITED_MS,
      );
    });
    return word;
  }

  /** Whom an invitation is for; undefined where it was used, is too old, or never was one. */
  invited(word: string, now: number): string | undefined {
    const row = this.#get('SELECT user FROM invitation WHERE digest = ? AND expires >= ?', digest(word), now);
    return row && String(row['user']);
  }

  /** Sets the password of the invited user, once. Answers the name; undefined where the invitation no longer counts. */
  accept(word: string, hash: string, now: number): string | undefined {
    return this.#tx(() => {
      const name = this.invited(word, now);
      if (name === undefined) return undefined;
      this.#run('UPDATE user SET password = ? WHERE name = ?', hash, name);
      this.#run('DELETE FROM session WHERE user = ?', name);
      this.#run('DELETE FROM invitation WHERE user = ?', name);
      return name;
    });
  }

  /** The word of a new session, for the cookie. Only its digest is kept. `longestMs`: it ends then at the latest. */
  signIn(name: string, address: string, now: number, longestMs = LONGEST_MS): string {
    const word = newWord();
    this.#tx(() => {
      this.#run('DELETE FROM session WHERE seen < ? OR created < ?', now - IDLE_MS, now - LONGEST_MS);
      this.#run(
        'INSERT INTO session (digest, user, created, seen, address, ends) VALUES (?, ?, ?, ?, ?, ?)',
        digest(word),
        name,
        now,
        now,
        address,
        now + longestMs,
      );
    });
    return word;
  }

  /** Whose session it is; undefined where it ended. */
  signedIn(word: string, now: number): Person | undefined {
    const row = this.#get(
      'SELECT u.*, s.seen FROM session s JOIN user u ON u.name = s.user WHERE s.digest = ? AND s.seen >= ? AND s.created >= ? AND COALESCE(s.ends, ?) >= ?',
      digest(word),
      now - IDLE_MS,
      now - LONGEST_MS,
      now,
      now,
    );
    if (row === undefined) return undefined;
    if (now - Number(row['seen']) > SEEN_MS)
      this.#run('UPDATE session SET seen = ? WHERE digest = ?', now, digest(word));
    return userOf(row);
  }

  signOut(word: string): void {
    this.#run('DELETE FROM session WHERE digest = ?', digest(word));
  }

  signOutEverywhere(name: string): void {
    this.#run('DELETE FROM session WHERE user = ?', name);
  }

  audit({ at, who, address, what, subject, result }: AuditEntry): void {
    this.#run(
      'INSERT INTO audit (at, who, address, what, subject, result) VALUES (?, ?, ?, ?, ?, ?)',
      at,
      who,
      address,
      what,
      subject,
      result,
    );
  }

  /** The latest first. `before`: an ID, for the next page. */
  audited(limit: number, before = Number.MAX_SAFE_INTEGER): (AuditEntry & { readonly id: number })[] {
    return this.#all('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?', before, limit).map(
      (row) => ({
        id: Number(row['id']),
        at: Number(row['at']),
        who: String(row['who']),
        address: String(row['address']),
        what: String(row['what']),
        subject: String(row['subject']),
        result: String(row['result']),
      }),
    );
  }

  /** Whether the word of a form comes for the first time. Words are kept for as long as a page may stay open. */
  spend(word: string, now: number): boolean {
    return this.#tx(() => {
      this.#run('DELETE FROM spent WHERE at < ?', now - LONGEST_MS);
      return this.#run('INSERT OR IGNORE INTO spent (word, at) VALUES (?, ?)', word, now) === 1;
    });
  }

  #get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    return this.#db.prepare(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#db.prepare(sql).all(...values);
  }

  /** Number of rows that it changed. */
  #run(sql: string, ...values: SQLInputValue[]): number {
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

function userOf(row: Record<string, unknown>): UserRow {
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

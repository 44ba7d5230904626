/** What the two databases have in common. */

export type Value = string | number | null;
export type Row = Readonly<Record<string, unknown>>;

/** Where the SQL of the two differs. */
export interface Dialect {
  /** Ends a SELECT from one table: the rows found stay this transaction's to its end. */
  readonly lock: string;
  /** The same for the rows of one alias, passing over those that are another's now. */
  lockFree(alias: string): string;
  /** A text in a column of JSON, as an index has it; NULL where it has none. */
  readonly jsonText: (column: string, key: string) => string;
  /** The value with which jsonText() is compared. */
  readonly jsonValue: (text: string) => string;
  /** An expression: the time of the database's machine, in milliseconds since the Unix epoch. */
  readonly clock: string;
}

/** The statements of one transaction, or of one consistent read. `?` stands for a value. */
export interface Statements {
  readonly dialect: Dialect;
  get(sql: string, values?: readonly Value[]): Promise<Row | undefined>;
  all(sql: string, values?: readonly Value[]): Promise<Row[]>;
  /** Number of rows changed. */
  run(sql: string, values?: readonly Value[]): Promise<number>;
}

/** Hears from which version the tables go to which. */
export type OnMigration = (from: number, to: number) => void;

/** A SQLite file, or a PostgreSQL database. */
export interface Database {
  /** All or nothing. */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  read<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  close(): Promise<void>;
  /** Nothing that was deleted stays readable in the database's files. */
  scrub?(): Promise<void>;
  /** Rejects once the database turns out to be damaged, so that nothing can be relied on any more. */
  readonly broken?: Promise<never>;
}

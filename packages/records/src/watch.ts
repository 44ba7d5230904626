/** Which records of a folder are new or were replaced. It looks when it is called, and costs little when nothing changed. */
import { stat } from 'node:fs/promises';
import { absent, stampOf } from '@scanflow/runtime';
import type { RecordFiles } from './files.ts';

export interface Look<V> {
  /** Whether a record came, went or was replaced. */
  readonly changed: boolean;
  /** What is kept of each record that this look read. */
  readonly read: readonly V[];
}

interface Known<V> {
  /** Changes when another file takes the name. */
  readonly stamp: string;
  /** Undefined: the file is damaged. */
  readonly value: V | undefined;
  readonly damage: string | undefined;
  /** The file is read again at the next look, although nothing changed. */
  readonly again: boolean;
}

interface FolderTime {
  readonly changed: bigint;
  /** Long enough ago that a further change gives another time. */
  readonly settled: boolean;
}

const SETTLED_NS = 2_000_000_000n;

/** Keeps a value of every record in a folder. */
export class RecordWatch<T, V> {
  readonly #files: RecordFiles<T>;
  readonly #keep: (record: T) => V;
  readonly #replaced: boolean;
  readonly #known = new Map<string, Known<V>>();
  /** News that no look has given yet, because one failed on its way. */
  #read: V[] = [];
  #changed = false;
  #listed: FolderTime | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param keep what stays in memory of a record
   * @param options.replaced whether a record may change under its key; where it may not, a record is read once and its
   *   file costs nothing more
   */
  constructor(files: RecordFiles<T>, keep: (record: T) => V, { replaced }: { replaced: boolean }) {
    this.#files = files;
    this.#keep = keep;
    this.#replaced = replaced;
  }

  /** Files of the folder, damaged ones included. */
  get size(): number {
    return this.#known.size;
  }

  values(): V[] {
    return [...this.#known.values()].flatMap(({ value }) => value ?? []);
  }

  /** Reads what changed since the last look. Looks run one after the other, so each caller sees a whole folder. */
  look(): Promise<Look<V>> {
    const turn = this.#turn.then(() => this.#look());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #look(): Promise<Look<V>> {
    const time = await folderTime(this.#files.folder);
    const isSame = this.#listed?.settled === true && this.#listed.changed === time?.changed;
    // a folder that went keeps what it said: its volume may come back
    if (time === undefined || isSame) return { changed: false, read: [] };
    const keys = await this.#files.keys();
    for (const key of keys) await this.#readKey(key);
    for (const key of new Set(this.#known.keys()).difference(new Set(keys))) this.#forget(key);
    this.#listed = [...this.#known.values()].some(({ again }) => again) ? undefined : time;
    const look = { changed: this.#changed, read: this.#read };
    [this.#changed, this.#read] = [false, []];
    return look;
  }

  async #readKey(key: string): Promise<void> {
    const before = this.#known.get(key);
    const known = await this.#knownOf(key, before);
    if (known === before) return;
    if (known === undefined) {
      this.#forget(key);
      return;
    }
    this.#known.set(key, known);
    if (known.value !== undefined) this.#read.push(known.value);
    this.#changed ||= known.value !== undefined || known.stamp !== before?.stamp;
  }

  #forget(key: string): void {
    this.#known.delete(key);
    this.#changed = true;
  }

  /** What is known of a file now; the same object where it did not change. Undefined: it went meanwhile. */
  async #knownOf(key: string, before: Known<V> | undefined): Promise<Known<V> | undefined> {
    if (!this.#replaced && before?.value !== undefined) return before;
    const stamp = await stampOf(this.#files.path(key));
    if (stamp === undefined) return undefined;
    if (before?.stamp === stamp && !before.again) return before;
    const { record, damage, mayPass = false } = (await this.#files.load(key)) ?? {};
    // a damaged file is reported once for each of its contents
    if (damage !== undefined && (before?.stamp !== stamp || before.damage !== damage))
      this.#files.report(key, damage);
    return { stamp, value: record === undefined ? undefined : this.#keep(record), damage, again: mayPass };
  }
}

/** Writers rename a file to its name, and that changes the folder's time. Undefined: there is no folder. */
async function folderTime(folder: string): Promise<FolderTime | undefined> {
  const found = await stat(folder, { bigint: true }).catch(absent);
  if (found === undefined) return undefined;
  const age = Temporal.Now.instant().epochNanoseconds - found.mtimeNs;
  return { changed: found.mtimeNs, settled: age > SETTLED_NS };
}

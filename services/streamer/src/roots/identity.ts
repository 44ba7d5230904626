/**
 * Which root this is, and whether it is the one that the ledger knows: its file with the owner's last heartbeat, the installation
 * in the data folder, and the series below it.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { readBounded, writeFileAtomic, absent } from '@scanflow/runtime';
import { type Failure, transient } from '@scanflow/failure';
import type { Access } from '../store/disk/folders.ts';
import { writeOwn } from '../store/disk/image-file.ts';
import type { Ledger } from '../ledger/tx.ts';
import { type KnownRoot, installationId, storedPlaces } from './sql.ts';
import { readRecord } from '../store/disk/record.ts';

/** In the root's own folder; hidden, so that people do not stumble over it. */
const IDENTITY_NAME = '.scanflow-root.json';

/** The owner of a root, for people. */
export interface Owner {
  /** Name of the facility in the configuration. */
  readonly name: string;
  readonly host: string;
  readonly version: string;
}

export interface RootIdentity {
  readonly version: 1;
  /** The root's ID, wherever it is mounted. */
  readonly root: string;
  /** ID of the installation whose ledger describes this root. */
  readonly ledger: string;
  readonly owner: Owner;
  /** Only the number is compared, since two machines' clocks may differ. The time is for people. */
  readonly heartbeat: { readonly sequence: number; readonly at: string };
}

const identityText = (identity: RootIdentity): string => `${JSON.stringify(identity, null, 1)}\n`;

/** Undefined for what is no identity file of ours. */
function parseIdentity(text: string): RootIdentity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isIdentity(value) ? value : undefined;
}

function isIdentity(value: unknown): value is RootIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { version, root, ledger, owner, heartbeat } = value as Partial<Record<keyof RootIdentity, unknown>>;
  return (
    version === 1 &&
    [root, ledger].every((id) => typeof id === 'string' && id !== '') &&
    hasTexts(owner, ['name', 'host', 'version']) &&
    hasTexts(heartbeat, ['at']) &&
    Number.isSafeInteger((heartbeat as { sequence?: unknown }).sequence)
  );
}

const hasTexts = (value: unknown, keys: readonly string[]): value is object =>
  typeof value === 'object' &&
  value !== null &&
  keys.every((key) => typeof (value as Record<string, unknown>)[key] === 'string');

const LIMIT = 65_536;

/** Undefined if there is none, or one of another program. */
export async function readIdentity(root: string): Promise<RootIdentity | undefined> {
  const text = await readText(join(root, IDENTITY_NAME));
  return text === undefined ? undefined : parseIdentity(text);
}

/** Writes aside, syncs, renames. */
export const writeIdentity = (root: string, identity: RootIdentity, access: Access): Promise<void> =>
  writeOwn(root, IDENTITY_NAME, identityText(identity), access);

/** Whether the folder holds only hidden names (snapshots, our own) and lost+found. */
export async function isEmptyRoot(root: string): Promise<boolean> {
  const names = await readdir(root);
  return names.every((name) => name.startsWith('.') || name === 'lost+found');
}

async function readText(path: string): Promise<string | undefined> {
  const bytes = await readBounded(path, LIMIT).catch(absent);
  return bytes === undefined || bytes.length > LIMIT ? undefined : bytes.toString('utf8');
}

/** Survives the ledger: a new ledger in the same data folder belongs to the same installation. */
interface Installation {
  readonly id: string;
  /** IDs of its roots, by name. */
  readonly roots: Readonly<Record<string, string>>;
}

const INSTALLATION = 'installation.json';

/** Undefined if there is none. */
async function readInstallation(folder: string): Promise<Installation | undefined> {
  const text = await readText(join(folder, INSTALLATION));
  if (text === undefined) return undefined;
  try {
    const { id, roots } = JSON.parse(text) as Partial<Installation>;
    return typeof id === 'string' && typeof roots === 'object' ? { id, roots } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * For whoever makes the data folder anew: with the `ledger` of a root's identity as id, a new ledger there belongs to the
 * installation that had the root, and goes on with it without being asked.
 */
const writeInstallation = (folder: string, installation: Installation): Promise<void> =>
  writeFileAtomic(
    join(folder, INSTALLATION),
    `${JSON.stringify({ version: 1, ...installation }, null, 1)}\n`,
    {
      mode: 0o640,
    },
  );

export class Installed {
  readonly #folder: string;
  readonly #ledger: Ledger;
  #id: string | undefined;

  constructor(folder: string, ledger: Ledger) {
    this.#folder = folder;
    this.#ledger = ledger;
  }

  /** If the two differ, the ledger wins: several streamers may each have a data folder. */
  async id(): Promise<string> {
    if (this.#id !== undefined) return this.#id;
    const noted = await readInstallation(this.#folder);
    const id = await this.#ledger.write(installationId, noted?.id ?? randomUUID());
    if (noted?.id !== id) await writeInstallation(this.#folder, { id, roots: {} });
    this.#id = id;
    return id;
  }

  is({ ledger }: RootIdentity): boolean {
    return this.#id === ledger;
  }

  /** The roots that a lost ledger knew. Its heartbeats are lost, except that there was one. */
  async known(name: string): Promise<KnownRoot | undefined> {
    const id = (await readInstallation(this.#folder))?.roots[name];
    return id === undefined ? undefined : { id, sequence: 1 };
  }

  async note(name: string, root: string): Promise<void> {
    const id = await this.id();
    const noted = await readInstallation(this.#folder);
    if (noted?.roots[name] === root) return;
    await writeInstallation(this.#folder, { id, roots: { ...noted?.roots, [name]: root } });
  }
}

export interface RootSpec {
  /** The root's name in the ledger: `storage`, `copy`, or the path of a project's own root. */
  readonly name: string;
  readonly path: string;
  /** The leg whose files are in this root. */
  readonly target: string;
  /** The path of a folder from the ledger; undefined if it is below another root. */
  readonly pathOf: (folder: string) => string | undefined;
}

/** Whether the series are there that the ledger stored last. */
interface StoredEvidence {
  readonly any: boolean;
  readonly some: boolean;
  readonly newest: boolean;
}

/** Number of series to look for. */
const SAMPLE = 20;
const PAGE = 1_000;

/** Looks for the series that the ledger stored last below this root. */
export async function storedEvidence(spec: RootSpec, ledger: Ledger): Promise<StoredEvidence> {
  const { any, sample } = await storedLast(spec, ledger);
  const there = await Promise.all(
    sample.map(async ({ series, path }) => (await readRecord(path))?.orthancSeries === series),
  );
  // a copy from before its folders were recorded gives no evidence
  const unknown = any && sample.length === 0;
  return { any, some: unknown || there.includes(true), newest: unknown || there[0] === true };
}

interface Sample {
  readonly any: boolean;
  readonly sample: readonly { readonly series: string; readonly path: string }[];
}

async function storedLast({ target, pathOf }: RootSpec, ledger: Ledger): Promise<Sample> {
  const sample: { series: string; path: string }[] = [];
  let any = false;
  for (let offset = 0; sample.length < SAMPLE; offset += PAGE) {
    const page = await ledger.read(storedPlaces, target, PAGE, offset);
    for (const { series, path: folder } of page) {
      const path = folder === '' ? undefined : pathOf(folder);
      any ||= folder === '' || path !== undefined;
      if (path !== undefined && sample.length < SAMPLE) sample.push({ series, path });
    }
    if (page.length < PAGE) break;
  }
  return { any, sample };
}

// Judges whether a root is the one that the ledger knows, and whether another owner is at work.

/** Whether the owner of a root is at work: its heartbeat's number grew, or has not grown for long. */
type Life = 'living' | 'silent' | 'watched';

export interface Evidence {
  readonly path: string;
  readonly installation: string;
  readonly own: Owner;
  /** This root as the ledger or the data folder knows it. */
  readonly known: KnownRoot | undefined;
  /** IDs of this installation's other roots. */
  readonly others: ReadonlySet<string>;
  readonly found: RootIdentity | undefined;
  /** The root holds only hidden names and lost+found. */
  readonly empty: boolean;
  readonly stored: StoredEvidence;
  readonly life: Life;
}

export type Verdict =
  | { readonly kind: 'ours'; readonly root: KnownRoot }
  /** The root becomes ours, since nothing contradicts that. It gets an ID if it has none. */
  | { readonly kind: 'adopt'; readonly id: string | undefined; readonly sequence: number }
  | { readonly kind: 'refused'; readonly failure: Failure; readonly mayTake: boolean };

export function judge(evidence: Evidence): Verdict {
  const { path, found, installation, others, known } = evidence;
  if (found === undefined) return judgeNameless(evidence);
  if (found.ledger !== installation) return foreign(evidence, found);
  const { sequence } = found.heartbeat;
  if (others.has(found.root) || (known !== undefined && known.id !== found.root))
    return refused('STORE_ROOT_OTHER', `${path} holds another root of this installation`, path);
  if (known === undefined) return { kind: 'adopt', id: found.root, sequence };
  if (sequence < known.sequence) return refused('STORE_ROOT_OLDER', olderText(evidence, found), path);
  return { kind: 'ours', root: { id: found.root, sequence } };
}

/** Without an identity: new, of a version before 0.2.0, not mounted, or out of an older backup. */
function judgeNameless({ path, known, empty, stored }: Evidence): Verdict {
  // one that was reserved, and never written to, is as good as unknown
  if ((known?.sequence ?? 0) === 0 && !stored.any) return { kind: 'adopt', id: known?.id, sequence: 1 };
  if (empty) return refused('STORE_ROOT_EMPTY', `${path} is empty, although it was in use before`, path);
  if (known === undefined)
    return stored.some
      ? { kind: 'adopt', id: undefined, sequence: 1 }
      : refused('STORE_ROOT_OTHER', `${path} holds none of the series that were stored there last`, path);
  return stored.newest || !stored.any
    ? { kind: 'adopt', id: known.id, sequence: known.sequence }
    : refused(
        'STORE_ROOT_OLDER',
        `${path} has no identity file any more, and lacks the series that was stored there last`,
        path,
      );
}

function foreign({ path, own, life }: Evidence, { owner, heartbeat }: RootIdentity): Verdict {
  const whose = `${path} belongs to another Scanflow, ${nameOf(owner)}`;
  if (life === 'silent')
    return refused('STORE_ROOT_OTHER', `${whose}, which gave its last sign of life at ${heartbeat.at}`, path);
  if (life === 'watched')
    return refused('STORE_ROOT_OTHER', `${whose}; whether that still works is being watched`, path);
  const message = `The root ${whose}, which is at work. This is ${nameOf(own)}. Give one of the two another root, or stop the other one. Nothing is written there.`;
  return { kind: 'refused', failure: transient('STORE_ROOT_IN_USE', message), mayTake: false };
}

const nameOf = ({ name, host }: Owner): string => `${name} on ${host}`;

const olderText = ({ path, known }: Evidence, { heartbeat }: RootIdentity): string =>
  `${path} is older than the ledger: its last heartbeat has number ${heartbeat.sequence} (${heartbeat.at}), the ledger knows number ${known?.sequence ?? 0}`;

type Refusal = 'STORE_ROOT_EMPTY' | 'STORE_ROOT_OLDER' | 'STORE_ROOT_OTHER';

const ADVICE: Readonly<Record<Refusal, string>> = {
  STORE_ROOT_EMPTY: 'Mount project storage. If the empty root is right, as on a new disk',
  STORE_ROOT_OLDER: 'Mount the right one. If this one is right, as after a restore from a backup',
  STORE_ROOT_OTHER: 'Mount the right one. If this one is right',
};

const refused = (code: Refusal, what: string, path: string): Verdict => ({
  kind: 'refused',
  failure: transient(
    code,
    `The root ${what}. Nothing is written there; storing waits. ${ADVICE[code]}: scanflow storage take ${path}`,
  ),
  mayTake: true,
});

interface Seen {
  readonly ledger: string;
  readonly sequence: number;
  /** By this process' monotonic clock. */
  readonly at: number;
  readonly grew: boolean;
}

export class Watch {
  readonly #silentMs: number;
  readonly #seen = new Map<string, Seen>();

  /** @param silentMs an owner counts as gone after so long without a heartbeat */
  constructor(silentMs: number) {
    this.#silentMs = silentMs;
  }

  /** Remembers what the root's file says now, and answers whether its owner lives. */
  look(path: string, { ledger, heartbeat: { sequence } }: RootIdentity, now = performance.now()): Life {
    const before = this.#seen.get(path);
    const same = before?.ledger === ledger ? before : undefined;
    const seen = same?.sequence === sequence ? same : { ledger, sequence, at: now, grew: same !== undefined };
    this.#seen.set(path, seen);
    if (now - seen.at >= this.#silentMs) return 'silent';
    return seen.grew ? 'living' : 'watched';
  }
}

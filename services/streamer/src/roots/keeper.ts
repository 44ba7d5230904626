/** Checks every root before anything is written to it, writes its heartbeat, and looks at all roots from time to time. */
import { randomUUID } from 'node:crypto';
import { removeLeftovers, type Log } from '@scanflow/runtime';
import { type Failure, FailureError } from '@scanflow/failure';
import type { Access } from '../store/disk/folders.ts';
import { rootOf } from '../store/disk/folders.ts';
import { failureOf } from '../model/failure.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { RootGuard } from '../store/types.ts';
import {
  type KnownRoot,
  adoptRoot,
  beginBeat,
  endBeat,
  hastenRefused,
  knownRoots,
  reserveRoot,
  examineNext,
  rootsToExamine,
} from './sql.ts';
import type { Clock } from '../model/settings.ts';
import {
  type Owner,
  type RootIdentity,
  Installed,
  isEmptyRoot,
  readIdentity,
  writeIdentity,
  type RootSpec,
  storedEvidence,
  judge,
  type Evidence,
  type Verdict,
  Watch,
} from './identity.ts';
import type { Condition, RefusedRoot } from '../work/condition.ts';
import type { Wake } from '../work/wake.ts';
import { iso } from '../model/series.ts';

interface KeeperDeps {
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, 'now'>;
  readonly own: Owner;
  readonly access: Access;
  /** The streamer's folder in the data folder. */
  readonly data: string;
  /** Another owner counts as gone after so long without a heartbeat. */
  readonly silentMs: number;
}

export interface RootState {
  readonly name: string;
  readonly path: string;
  /** Undefined: the root is the ledger's, or was not checked yet. */
  readonly failure: Failure | undefined;
  readonly known: KnownRoot | undefined;
}

/** Time limit for writing one heartbeat. */
const BEAT_MS = 10_000;
/** Pause before a refused root is checked again. */
const AGAIN_MS = 500;

export class RootKeeper implements RootGuard {
  readonly #deps: KeeperDeps;
  readonly #specs: ReadonlyMap<string, RootSpec>;
  readonly #owner = randomUUID();
  readonly #watch: Watch;
  readonly #installed: Installed;
  readonly #ours = new Map<string, KnownRoot>();
  readonly #refused = new Map<string, { readonly failure: Failure; readonly at: number }>();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #queued = new Map<string, Promise<void>>();
  readonly #tidy = new Set<string>();

  constructor(specs: readonly RootSpec[], deps: KeeperDeps) {
    this.#specs = new Map(specs.map((spec) => [spec.path, spec]));
    this.#deps = deps;
    this.#watch = new Watch(deps.silentMs);
    this.#installed = new Installed(deps.data, deps.ledger);
  }

  get specs(): readonly RootSpec[] {
    return [...this.#specs.values()];
  }

  states(): RootState[] {
    return this.specs.map(({ name, path }) => ({
      name,
      path,
      failure: this.#refused.get(path)?.failure,
      known: this.#ours.get(path),
    }));
  }

  async ready(path: string): Promise<void> {
    const spec = this.#specs.get(path);
    if (spec === undefined || (await this.#isStillOurs(path))) return;
    await this.#inTurn(path, () => this.#look(spec));
  }

  async written(path: string): Promise<void> {
    const spec = this.#specs.get(path);
    if (spec !== undefined) await this.beat(spec);
  }

  /** Checks the root, and writes a heartbeat if it is ours. Calls that wait for their turn share one check. */
  beat(spec: RootSpec): Promise<void> {
    const { path } = spec;
    const queued = this.#queued.get(path);
    if (queued !== undefined) return queued;
    const mine = this.#inTurn(path, async () => {
      this.#queued.delete(path);
      if (!(await this.#isStillOurs(path))) await this.#look(spec);
      await this.#beatNow(spec);
    });
    this.#queued.set(path, mine);
    return mine;
  }

  /** A person confirms the root. Returns why it is still refused; undefined if it is ours now. */
  take(spec: RootSpec): Promise<string | undefined> {
    return this.#inTurn(spec.path, async () => {
      const evidence = await this.#gather(spec, true);
      const verdict = judge(evidence);
      if (verdict.kind !== 'refused')
        return `Nothing to take: ${spec.path} is the root that the ledger knows`;
      if (!verdict.mayTake) return verdict.failure.message;
      const { found, known, installation, others, stored } = evidence;
      const isForeign = found !== undefined && found.ledger !== installation;
      if (isForeign && evidence.life === 'watched') return WATCHED;
      const own = found !== undefined && !isForeign && !others.has(found.root);
      const sequence = 1 + Math.max(known?.sequence ?? 0, found?.heartbeat.sequence ?? 0);
      await this.#adopt(spec, { id: own ? found.root : randomUUID(), sequence }, stored.any);
      await this.#deps.ledger.write(hastenRefused, this.#deps.clock.now());
      return undefined;
    });
  }

  #inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.#turns.get(path) ?? Promise.resolve()).then(work);
    this.#turns.set(
      path,
      mine.catch(() => undefined),
    );
    return mine;
  }

  /** One small file is read: a share that was swapped or unmounted since is noticed. */
  async #isStillOurs(path: string): Promise<boolean> {
    const ours = this.#ours.get(path);
    if (ours === undefined) return false;
    const found = await readIdentity(path).catch(() => undefined);
    return found?.root === ours.id && found.heartbeat.sequence >= ours.sequence && this.#installed.is(found);
  }

  /** Throws why nothing may be written there. */
  async #look(spec: RootSpec): Promise<void> {
    const { path } = spec;
    const before = this.#refused.get(path);
    if (before !== undefined && performance.now() - before.at < AGAIN_MS)
      throw new FailureError(before.failure);
    this.#ours.delete(path);
    try {
      await this.#settle(spec, judge(await this.#gather(spec)));
      this.#refused.delete(path);
    } catch (error) {
      this.#refused.set(path, { failure: failureOf(error), at: performance.now() });
      throw error;
    }
  }

  async #settle(spec: RootSpec, verdict: Verdict): Promise<void> {
    switch (verdict.kind) {
      case 'refused':
        throw new FailureError(verdict.failure);
      case 'adopt': {
        // another streamer of this ledger may do the same at this moment
        const { id, sequence } = await this.#deps.ledger.write(
          reserveRoot,
          spec.name,
          verdict.id ?? randomUUID(),
        );
        return this.#adopt(spec, { id, sequence: Math.max(sequence, verdict.sequence) }, false);
      }
      case 'ours': {
        const known = (await this.#deps.ledger.read(knownRoots)).get(spec.name);
        // a ledger out of a backup knows less than the root
        if ((known?.sequence ?? 0) < verdict.root.sequence)
          await this.#deps.ledger.write(adoptRoot, spec.name, verdict.root, false);
        this.#ours.set(spec.path, verdict.root);
      }
    }
  }

  /** The root first: what is lost in between is found there again. */
  async #adopt(spec: RootSpec, root: KnownRoot, examine: boolean): Promise<void> {
    await this.#write(spec.path, root);
    await this.#deps.ledger.write(adoptRoot, spec.name, root, examine);
    await this.#installed.note(spec.name, root.id);
    this.#ours.set(spec.path, root);
    this.#refused.delete(spec.path);
  }

  async #write(path: string, { id, sequence }: KnownRoot): Promise<void> {
    const { own, access, clock } = this.#deps;
    const at = iso(clock.now());
    const ledger = await this.#installed.id();
    const identity: RootIdentity = { version: 1, root: id, ledger, owner: own, heartbeat: { sequence, at } };
    await writeIdentity(path, identity, access);
  }

  /** Nothing where another streamer of this ledger is at it: its heartbeat does for both. */
  async #beatNow({ name, path }: RootSpec): Promise<void> {
    const { ledger, clock } = this.#deps;
    const ours = this.#ours.get(path);
    if (ours === undefined) return;
    const now = clock.now();
    const sequence = await ledger.write(beginBeat, name, this.#owner, now, now + BEAT_MS);
    if (sequence === undefined) return;
    // of writers that were killed; nobody else of this ledger writes into the root's own folder now
    if (!this.#tidy.has(path)) await removeLeftovers(path);
    this.#tidy.add(path);
    const root = { ...ours, sequence };
    await this.#write(path, root);
    await ledger.write(endBeat, name, this.#owner, sequence);
    this.#ours.set(path, root);
  }

  async #gather(spec: RootSpec, all = false): Promise<Evidence> {
    const { ledger, own } = this.#deps;
    const { name, path } = spec;
    // throws where it is not there
    await rootOf(path);
    const installation = await this.#installed.id();
    const roots = await ledger.read(knownRoots);
    const found = await readIdentity(path);
    const nameless = found === undefined;
    return {
      path,
      installation,
      own,
      known: roots.get(name) ?? (await this.#installed.known(name)),
      others: new Set([...roots].filter(([other]) => other !== name).map(([, { id }]) => id)),
      found,
      empty: await isEmptyRoot(path),
      stored: nameless || all ? await storedEvidence(spec, ledger) : NOT_ASKED,
      life: nameless || found.ledger === installation ? 'silent' : this.#watch.look(path, found),
    };
  }
}

/** Where a root has an identity, that counts. */
const NOT_ASKED = { any: true, some: true, newest: true };

/** What take() says until it is known whether the other owner is at work. */
export const WATCHED =
  'Whether the other owner of this root still works is being watched. Ask again in a moment';

interface RootWatchDeps {
  readonly keeper: RootKeeper;
  readonly ledger: Ledger;
  readonly condition: Condition;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  readonly wakes: Readonly<Record<'store' | 'legs' | 'roots', Wake>>;
}

const EVERY_MS = 5_000;
/** Number of series that one transaction opens again. */
const BATCH = 200;

export async function watchRoots(deps: RootWatchDeps, signal: AbortSignal): Promise<void> {
  const { keeper, condition, log, ledger, clock, wakes } = deps;
  const since = wakes.roots.count;
  const looks = await Promise.all(keeper.specs.map((spec) => lookAt(spec, keeper)));
  const refused = looks.flat();
  for (const { path, failure } of condition.rootsRefused(refused))
    if (failure === undefined) {
      log.info('storing on this root goes on', { root: path });
      await ledger.write(hastenRefused, clock.now());
      wakes.store.notify();
      wakes.legs.notify();
    } else log.error('nothing is written to this root', { root: path, ...failure });
  for (const spec of keeper.specs) await examine(spec, deps, signal);
  await wakes.roots.wait(EVERY_MS, signal, since);
}

async function lookAt(spec: RootSpec, keeper: RootKeeper): Promise<RefusedRoot[]> {
  try {
    await keeper.beat(spec);
    return [];
  } catch (error) {
    const failure = failureOf(error);
    // a failure of the ledger shows as one
    if (!failure.code.startsWith('STORE_')) throw error;
    return [{ path: spec.path, failure }];
  }
}

async function examine(
  { name, target, path, pathOf }: RootSpec,
  { ledger, clock, log, condition, wakes }: RootWatchDeps,
  signal: AbortSignal,
): Promise<void> {
  if (!(await ledger.read(rootsToExamine)).includes(name) || condition.isRefused(path)) return;
  log.warn('every series of this root is looked at, as it was put in place by hand', { root: path });
  const isThere = (folder: string): boolean => pathOf(folder) !== undefined;
  let more = true;
  while (more && !signal.aborted)
    more = await ledger.write(examineNext, name, target, isThere, BATCH, clock.now());
  wakes.store.notify();
  wakes.legs.notify();
}

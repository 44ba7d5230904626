/** How Orthanc, the ledger and the series that wait are: for /healthz, doctor and metrics. */
import { type Fault, gigabytes, type Health } from '@scanflow/runtime';
import { defined, given } from '@scanflow/failure/defined';
import type { Failure } from '@scanflow/failure';
import type { Server, SystemInfo } from '@scanflow/orthanc';
import { COPY, STORAGE, type Reason } from '../model/series.ts';
import { storageAdvice } from '../model/failure.ts';
import { waitingLegs, type TriedLegs } from '../ledger/search.ts';
import type { Ledger, Millis } from '../ledger/tx.ts';
import { Wake } from './wake.ts';
import type { KeptSummary } from '../cleanup/plan.ts';
import type { VerifySummary } from '../verify/types.ts';
import type { LowSpace } from '../store/types.ts';
import { verifyHealth } from '../verify/plan.ts';

/** Codes that hold every series of a root, whatever is in it. */
const OF_ROOTS: ReadonlySet<string> = new Set([
  ...[
    'STORE_DISK_FULL',
    'STORE_QUOTA',
    'STORE_SPACE_FLOOR',
    'STORE_DENIED',
    'STORE_READ_ONLY',
    'STORE_STALE',
  ],
  ...['STORE_IO', 'STORE_TOO_MANY_FILES'],
]);

/** Images stay in Orthanc meanwhile, so nothing is lost. */
const holdsStoring = ({ target, code }: TriedLegs): boolean =>
  (target === STORAGE || target === COPY) && (OF_ROOTS.has(code) || code.startsWith('STORE_ROOT_'));

/** A folder that denies may be the only one; a disk that is full is full for all. */
const isFull = (one: TriedLegs): boolean =>
  holdsStoring(one) && ['STORE_DISK_FULL', 'STORE_QUOTA'].includes(one.code);

const countText = (count: number): string => (count === 1 ? '1 series waits' : `${count} series wait`);

/** One fault for each group. Where nothing can be stored, that is failing; a destination that is away is not. */
const waitingFaults = (all: readonly TriedLegs[], now: Millis): Fault[] =>
  all.map((one) => {
    const { target, code, count, since } = one;
    const advice =
      storageAdvice(code) ??
      'scanflow series list --state working shows which; docs/failures.md says what to do.';
    return {
      state: holdsStoring(one) ? 'failing' : 'degraded',
      code,
      message: `${countText(count)} for ${target} since ${ageOf(now - since)}. ${advice}`,
      since: Temporal.Instant.fromEpochMilliseconds(since).toString({ smallestUnit: 'second' }),
    };
  });

function ageOf(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

const EVERY_MS = 5_000;

interface WaitingDeps {
  readonly ledger: Ledger;
  /** Where the last look is kept. */
  readonly condition: { waiting: readonly TriedLegs[] };
}

export async function watchWaiting({ ledger, condition }: WaitingDeps, signal: AbortSignal): Promise<void> {
  condition.waiting = await ledger.read(waitingLegs);
  await new Wake().wait(EVERY_MS, signal);
}

// How Orthanc and the ledger are, for /healthz: the last good moment, and what is wrong since.

/** Orthanc may be restarted without the streamer being called unhealthy. */
const UNREACHABLE_MS = 60_000;

/** Work that still fails does so again within this time. */
const SETTLED_MS = 10_000;

/** A root to which nothing is written. */
export interface RefusedRoot {
  readonly path: string;
  readonly failure: Failure;
}

export class Condition {
  #orthanc: { readonly failure: Failure; readonly since: number } | undefined;
  /** The work during which the ledger failed, how, and when last. */
  readonly #ledger = new Map<string, { readonly failure: Failure; readonly at: number }>();
  #low: readonly LowSpace[] = [];
  #refused: ReadonlyMap<string, Failure> = new Map();
  /** Whether every root was looked at since the start. */
  #looked = false;
  system: SystemInfo | undefined;
  /** Findings of verification at the last look. */
  verified: VerifySummary | undefined;
  /** Series that are overdue for deletion from Orthanc, at the last look. */
  kept: KeptSummary | undefined;
  /** Series that wait although they were tried, as they were looked up last. */
  waiting: readonly TriedLegs[] = [];
  /** When the streamer last requested /system of Orthanc. */
  askedAt = 0;
  /** Each of several addresses of Orthanc, at the last look. */
  servers: readonly Server[] = [];
  seq = 0;
  /** Gaps among the changes up to `seq`, which may still appear. */
  missed = 0;
  /** When the latest comparison of everything in Orthanc began, and the latest one that came to its end. */
  comparing = 0;
  compared = 0;
  /** Since when a comparison was due that was asked for last. */
  comparisonFrom = 0;
  /** Everything that Orthanc had at this moment is in the ledger. Unknown while another streamer reads. */
  readAt = 0;
  /** While the ledger is rebuilt: how many series were looked at. */
  rebuilding: number | undefined;
  /** Whether this streamer is the one that reads what Orthanc reports. */
  leads = false;

  orthancAnswered(): void {
    this.#orthanc = undefined;
  }

  /** True if the state changed. */
  orthancFailed(failure: Failure, now: number): boolean {
    const news = this.#orthanc?.failure.code !== failure.code;
    this.#orthanc = { failure, since: this.#orthanc?.since ?? now };
    return news;
  }

  /** Undefined: nobody has asked it yet. */
  get orthancUp(): boolean | undefined {
    if (this.#orthanc !== undefined) return false;
    return this.system === undefined ? undefined : true;
  }

  /**
   * A round of this work went through. Other work that failed long before it began, and not again, waits in a round of its
   * own: some do so for hours.
   *
   * @param began as `at` of ledgerFailed
   */
  worked(step: string, began: number): void {
    this.#ledger.delete(step);
    for (const [other, { at }] of this.#ledger) if (began - at >= SETTLED_MS) this.#ledger.delete(other);
  }

  /** @param at by a clock that nobody sets */
  ledgerFailed(step: string, failure: Failure, at: number): void {
    this.#ledger.set(step, { failure, at });
  }

  /** Sets the roots that have too little free space. True if they are others than before. */
  lowOnSpace(low: readonly LowSpace[]): boolean {
    const before = this.#low;
    this.#low = low;
    return before.length !== low.length || low.some(({ root }, index) => before[index]?.root !== root);
  }

  /** Gives the roots that have another failure than before, or none any more. */
  rootsRefused(refused: readonly RefusedRoot[]): { path: string; failure: Failure | undefined }[] {
    const before = this.#refused;
    this.#looked = true;
    const now = new Map(refused.map(({ path, failure }) => [path, failure]));
    this.#refused = now;
    return [...new Set([...before.keys(), ...now.keys()])]
      .filter((path) => before.get(path)?.code !== now.get(path)?.code)
      .map((path) => ({ path, failure: now.get(path) }));
  }

  /** One for each root. */
  refusedCodes(): string[] {
    return [...this.#refused.values()].map(({ code }) => code);
  }

  /** What is bad now, each with what it is about: a root, Orthanc. For facility IT alone, since roots may name projects. */
  troubles(now: number): { code: string; about: string; message: string }[] {
    const down = this.#orthanc;
    return [
      ...[...this.#refused].map(([about, { code, message }]) => ({ code, about, message })),
      ...this.#low.map((low) => ({ code: 'STORE_SPACE_FLOOR', about: low.root, message: lowText(low) })),
      ...this.waiting.filter(holdsStoring).map((one) => ({
        code: one.code,
        about: 'Project storage',
        message:
          `${countText(one.count)}. Images are in Orthanc, and nothing is lost. ${storageAdvice(one.code) ?? ''}`.trimEnd(),
      })),
      ...(down !== undefined && now - down.since > UNREACHABLE_MS
        ? [{ code: down.failure.code, about: 'Orthanc', message: down.failure.message }]
        : []),
      ...(this.system?.recycling === undefined
        ? []
        : [{ code: 'ORTHANC_RECYCLES', about: 'Orthanc', message: recyclingText(this.system.recycling) }]),
    ];
  }

  isRefused(path: string): boolean {
    return this.#refused.has(path);
  }

  /** A rebuild comes before the first look, and may take hours. */
  get #isStarting(): boolean {
    return !this.#looked && this.rebuilding === undefined;
  }

  /** @param destinations those that wait for their hours, which is no fault */
  health(now: number, destinations: Readonly<Record<string, string>> = {}): Health {
    const down = this.#orthanc;
    const ledger = this.#ledger.values().next().value?.failure;
    const faults = this.#faults(now);
    return {
      ok: !this.#isStarting && faults.every(({ state }) => state !== 'failing'),
      // Orthanc and destinations are other services; storing and keeping account of it is the streamer's own work
      ready:
        ledger === undefined &&
        !this.#isStarting &&
        this.#low.length === 0 &&
        this.#refused.size === 0 &&
        !this.waiting.some(isFull),
      faults,
      detail: {
        orthanc:
          down === undefined
            ? { answers: true, ...usedOf(this.servers), version: this.system?.version, seq: this.seq }
            : {
                answers: false,
                forSeconds: Math.round((now - down.since) / 1000),
                code: down.failure.code,
                message: down.failure.message,
              },
        ledger: ledger?.message ?? 'ok',
        ...defined({ rebuilding: given(this.rebuilding, (rebuilding) => ({ series: rebuilding })) }),
        storage: this.#storage(),
        verify: verifyHealth(this.verified),
        ...defined({ notCleaned: this.kept }),
        ...(Object.keys(destinations).length === 0 ? {} : { destinations }),
        ...(this.#isStarting && { why: 'the roots of project storage were not looked at yet' }),
        ...defined({ warning: given(this.system?.recycling, recyclingWarning) }),
      },
    };
  }

  #faults(now: number): Fault[] {
    const down = this.#orthanc;
    const ledger = this.#ledger.values().next().value?.failure;
    const failing = ({ code, message }: Reason): Fault => ({ state: 'failing', code, message });
    const degraded = (code: string, message: string): Fault => ({ state: 'degraded', code, message });
    return [
      ...(ledger === undefined ? [] : [failing(ledger)]),
      ...(down === undefined ? serverFaults(this.servers) : [orthancFault(down, now)]),
      ...[...this.#refused].map(([path, { code, message }]) =>
        failing({ code, message: unnamed(message, path) }),
      ),
      ...this.#low.map((low) => failing({ code: 'STORE_SPACE_FLOOR', message: lowText(low) })),
      ...waitingFaults(this.waiting, now),
      ...Object.entries(this.verified?.failing ?? {}).map(([code, count]) =>
        degraded(code, `The files of ${count} series are missing or changed. ${VERIFY_ADVICE}`),
      ),
      ...(this.system?.recycling === undefined
        ? []
        : [degraded('ORTHANC_RECYCLES', recyclingText(this.system.recycling))]),
    ];
  }

  #storage(): string {
    const refused = [...this.#refused].map(
      ([path, { code, message }]) => `${code}: ${unnamed(message, path)}`,
    );
    const low = this.#low.map((one) => `STORE_SPACE_FLOOR: ${lowText(one)}`);
    const full = this.waiting.filter(holdsStoring).map(({ code, count }) => `${code}: ${countText(count)}.`);
    return [...refused, ...low, ...full].join(' ') || (this.#looked ? 'ok' : 'unknown');
  }
}

const usedOf = (servers: readonly Server[]): { at?: string } =>
  defined({ at: servers.find(({ used }) => used)?.url });

/** Of several Orthancs: those that are away while another does the work, and databases that are not one. */
function serverFaults(servers: readonly Server[]): Fault[] {
  const databases = new Set(servers.flatMap(({ database }) => database ?? []));
  const apart: Fault = {
    state: 'failing',
    code: 'ORTHANC_APART',
    message: `The addresses of orthanc.url show different databases: ${[...databases].join(', ')}. Give each Orthanc of one database an identifier DATABASE@NAME, and remove addresses of others.`,
  };
  const away = servers.flatMap(({ url, failure }): Fault[] =>
    failure === undefined
      ? []
      : [
          {
            state: 'degraded',
            code: 'ORTHANC_ONE_AWAY',
            message: `Of several Orthancs, ${url} does not work (${failure.code}), and another one does its work. Start it, or check orthanc.url.`,
          },
        ],
  );
  return [...(databases.size > 1 ? [apart] : []), ...away];
}

/** A restart of Orthanc is no fault yet; a user that it refuses stays refused. */
function orthancFault({ failure, since }: { failure: Failure; since: number }, now: number): Fault {
  const { code, message } = failure;
  const failing = code === 'ORTHANC_DENIED' || now - since > UNREACHABLE_MS;
  const at = Temporal.Instant.fromEpochMilliseconds(since).toString({ smallestUnit: 'second' });
  return { state: failing ? 'failing' : 'degraded', code, message, since: at };
}

const VERIFY_ADVICE =
  'scanflow series list --state failed shows which; scanflow verify ID --repair puts back what it can.';

/** Without the path, which may name a project: anybody may ask. */
const lowText = ({ free, floor }: LowSpace): string =>
  `A root of project storage has ${gigabytes(free)} free, and storing waits below ${gigabytes(floor)} (storage.freeSpace). Free space; scanflow doctor and the log name the root.`;

/** Likewise. */
const unnamed = (message: string, path: string): string =>
  message.includes(path)
    ? `${message.replaceAll(path, 'ROOT')} scanflow storage list names the root.`
    : message;

const recyclingText = (limits: string): string =>
  `Orthanc deletes its oldest images by itself (${limits}), also those that are not stored yet. Set both limits to 0.`;

export const recyclingWarning = (limits: string): string => `ORTHANC_RECYCLES: ${recyclingText(limits)}`;

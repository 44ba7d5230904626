/**
 * One process leads, others stand by and take over after its lease. The database's clock says when a lease ends; the leader's own
 * clock says until when it may count on it, so that the clocks of machines need not agree.
 */
import { randomUUID } from 'node:crypto';
import { hostname, uptime } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { failureIn, FailureError, transient, type Failure } from '@scanflow/failure';
import type { Database, Statements } from './database.ts';
import { dropLeases, leaseOf, takeLease } from './lease.ts';

export interface LeadershipOptions {
  readonly database: Database;
  /** Name of the lease, and of who leads in messages, such as `cal2wl`. */
  readonly name: string;
  readonly leaseMs: number;
  /** Milliseconds; goes on while the process or the machine is suspended. */
  readonly clock?: () => number;
}

export interface Standing {
  readonly leads: boolean;
  /** `HOST:PID` of the other one that leads, if one is known. */
  readonly leader: string | undefined;
  /** Why nobody can say who leads: the database does not answer. */
  readonly failure: Failure | undefined;
}

/** What a step that only the leader takes asks right before. */
export interface Guard {
  /** By the own clock and by the database. Throws FailureError STANDBY, LEASE_UNKNOWN. */
  require(): Promise<void>;
  /** By the own clock alone, for the last moment. */
  holds(): boolean;
  /** Throws a FailureError where it does not hold. */
  mustHold(): void;
}

/** Where there is no lease: nobody else is there. */
export const ALONE: Guard = {
  require: () => Promise.resolve(),
  holds: () => true,
  mustHold: () => undefined,
};

/** CLOCK_BOOTTIME on Linux: `performance.now()` stands still while the machine is suspended. */
const sinceBoot = (): number => uptime() * 1000;

/** Longest lease that the configuration takes. */
const LONGEST_MS = 3_600_000;
/** Of the lease: how often the leader renews it, and how often the others look. */
const RENEW_PART = 1 / 3;
const FOLLOW_PART = 1 / 10;
/** Whoever ends does not wait longer for the database. */
const LEAVE_MS = 2_000;
/** Of the lease: the leader stops so long before its end, so that a step that it began ends in time. */
const RESERVE_PART = 1 / 10;

const clockOf = async (tx: Statements): Promise<number> => {
  const row = await tx.get(`SELECT ${tx.dialect.clock} AS now`);
  return Number(row?.['now']);
};

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #owner = `${hostname()}:${process.pid} ${randomUUID()}`;
  readonly #clock: () => number;
  /** By the own clock. */
  #until = -Infinity;
  /** Number of the times that this process began to lead. */
  #term = 0;
  #leader: string | undefined;
  #failure: Failure | undefined;
  #resting = -Infinity;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#clock = options.clock ?? sinceBoot;
  }

  standing(): Standing {
    const leads = this.holds();
    return { leads, leader: leads ? undefined : this.#leader, failure: this.#failure };
  }

  /** By the own clock. */
  holds(): boolean {
    return this.#left() > 0;
  }

  /** Why this process does not do the work. */
  refusal(): Failure {
    return this.#failure ?? standby(this.#options.name, this.#leader);
  }

  /** Takes, renews, or looks who has the lease, once. It never throws. */
  async look(): Promise<Standing> {
    const { database, name, leaseMs } = this.#options;
    const lease = { name, owner: this.#owner, leaseMs, longestMs: LONGEST_MS + leaseMs };
    // what the lease lasts is counted from before the question on: the answer may take long
    const asked = this.#clock();
    const led = this.holds();
    try {
      const { taken, owner } = await database.transaction(async (tx) => ({
        taken: asked < this.#resting ? undefined : await takeLease(tx, lease, await clockOf(tx)),
        owner: (await leaseOf(tx, name))?.['owner'],
      }));
      this.#failure = undefined;
      this.#leader = nameIn(owner);
      this.#until = taken === undefined ? -Infinity : asked + taken.leftMs;
      if (taken !== undefined && (taken.isNew || !led)) this.#term += 1;
    } catch (error) {
      this.#failure = this.#unknown(error);
    }
    return this.standing();
  }

  /**
   * Looks until the signal aborts. Tells `onChange` whenever this process begins or ends to lead, and when it begins anew after
   * another may have led.
   */
  async follow(onChange: (leads: boolean) => void, signal: AbortSignal): Promise<void> {
    const { leaseMs } = this.#options;
    let [led, term] = [this.holds(), this.#term];
    const ended = (): boolean => signal.aborted;
    while (!ended()) {
      const pause = this.holds() ? Math.min(leaseMs * RENEW_PART, this.#left()) : leaseMs * FOLLOW_PART;
      await wait(pause, undefined, { signal }).catch(() => undefined);
      if (ended()) return;
      const { leads } = await this.look();
      if (leads !== led || (leads && term !== this.#term)) onChange(leads);
      [led, term] = [leads, this.#term];
    }
  }

  /** For the steps of the present term. It refuses those that outlast it, also where this process leads again. */
  guard(): Guard {
    const term = this.#term;
    const holds = (): boolean => this.#term === term && this.holds();
    const mustHold = (): void => {
      if (!holds()) throw new FailureError(this.refusal());
    };
    return {
      holds,
      mustHold,
      require: async () => {
        mustHold();
        await this.#compare();
        mustHold();
      },
    };
  }

  /** Leaves the lease to others for the time of a lease: this process cannot do the work now. */
  async rest(): Promise<void> {
    this.#resting = this.#clock() + this.#options.leaseMs;
    await this.leave();
  }

  /** Another may have the lease at once. Where the database is out of reach, the lease ends by itself. */
  async leave(): Promise<void> {
    this.#until = -Infinity;
    const { database } = this.#options;
    const left = database.transaction((tx) => dropLeases(tx, this.#owner)).catch(() => undefined);
    await Promise.race([left, wait(LEAVE_MS, undefined, { ref: false })]);
  }

  /** What the database says. Throws where it does not answer. */
  async #compare(): Promise<void> {
    const { database, name } = this.#options;
    const asked = this.#clock();
    try {
      const { row, now } = await database.read(async (tx) => ({
        row: await leaseOf(tx, name),
        now: await clockOf(tx),
      }));
      this.#failure = undefined;
      // a virtual machine that was paused may not have counted that time
      if (row?.['owner'] === this.#owner)
        this.#until = Math.min(this.#until, asked + Number(row['until']) - now);
      else [this.#until, this.#leader] = [-Infinity, nameIn(row?.['owner'])];
    } catch (error) {
      this.#failure = this.#unknown(error);
      throw new FailureError(this.#failure, error);
    }
  }

  #left(): number {
    return Math.max(0, this.#until - this.#options.leaseMs * RESERVE_PART - this.#clock());
  }

  #unknown(error: unknown): Failure {
    const cause = failureIn(error);
    const { name } = this.#options;
    const why = cause === undefined ? 'Its database does not answer.' : cause.message;
    return transient(
      'LEASE_UNKNOWN',
      `This ${name} cannot show that it alone leads, so it changes nothing; what it did before stays. ${why}`,
    );
  }
}

const nameIn = (owner: unknown): string | undefined =>
  typeof owner === 'string' ? owner.split(' ')[0] : undefined;

const standby = (name: string, leader: string | undefined): Failure =>
  transient(
    'STANDBY',
    leader === undefined
      ? `This ${name} stands by: its lease has ended, and it has no new one yet. Ask again in a moment.`
      : `This ${name} stands by: ${leader} leads. This one takes over after the lease of ${leader}; nothing needs doing.`,
  );

/** Storage commitment of a series at a destination: what to request, send again, wait for or give up. Pure. */
import { defined } from '@scanflow/failure/defined';
import { type Failure, permanent } from '@scanflow/failure';
import type { TransactionState } from '../model/series.ts';
import type { Reference } from '@scanflow/dicom';

const PREFIX = 'commitment:';

/** The leg on which a destination commits itself to what it was sent. */
export const commitmentLeg = (destination: string): string => `${PREFIX}${destination}`;

/** The destination of such a leg; undefined for any other. */
export const destinationOf = (target: string): string | undefined =>
  target.startsWith(PREFIX) ? target.slice(PREFIX.length) : undefined;

export interface CommitmentItem {
  /** File name in the series' folder. */
  readonly instance: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly increment: number;
}

export interface Transaction {
  readonly uid: string;
  readonly state: TransactionState;
  /** 1, and one more for each request for the same images that got no report. */
  readonly round: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly items: readonly CommitmentItem[];
}

/** Of one image on the commitment's leg. `again`: named as failed; `detail` tells what becomes of it. */
export interface CommitmentRow {
  readonly instance: string;
  readonly outcome: 'done' | 'failed' | 'again';
  readonly detail: string;
}

export interface CommitmentFacts {
  /** Increments up to this one were settled before. */
  readonly through: number;
  /** Increments up to this one were dealt with by sending. */
  readonly sent: number;
  /** Images that sending has given up, or has still to send again. */
  readonly unsent: ReadonlyMap<string, 'failed' | 'again'>;
  readonly rows: readonly CommitmentRow[];
  /** Of this leg; none that was answered. */
  readonly transactions: readonly Transaction[];
  readonly images: readonly CommitmentItem[];
}

interface CommitmentLimits {
  /** Most requests for an image without a report, and most times that it is sent after it was named as failed. */
  readonly attempts: number;
  /** Most images of one request. */
  readonly batch: number;
}

export interface CommitmentPlan {
  /** Requests to make. */
  readonly ask: readonly { readonly round: number; readonly items: readonly CommitmentItem[] }[];
  /** Files to send again. */
  readonly resend: readonly string[];
  /** To be written down first. */
  readonly rows: readonly CommitmentRow[];
  readonly ended: readonly { readonly uid: string; readonly state: 'expired' | 'closed' }[];
  /** When the next report is overdue; undefined where none is due. */
  readonly until: number | undefined;
  /** Something is being sent again. */
  readonly sending: boolean;
  /** Why the first of what was given up was. */
  readonly failure: Failure | undefined;
}

interface Named {
  /** Times that it was named as failed. */
  readonly tries: number;
  /** Whether it was sent again since, or need not be. */
  readonly resent: boolean;
  readonly reason?: string;
}

export const named = (tries: number, resent: boolean, reason?: string): string =>
  JSON.stringify({ tries, resent, ...defined({ reason }) });

/** The detail of a row that is `again`; where a person wants it again, that of the failure that it had. */
export function readNamed(detail: string): Named {
  const { tries = 0, resent, reason, code } = JSON.parse(detail) as Partial<Named & { code: string }>;
  return {
    tries,
    resent: resent ?? code !== REFUSED,
    ...defined({ reason }),
  };
}

const REFUSED = 'COMMITMENT_REFUSED';

const EXPIRED = 'COMMITMENT_EXPIRED';

const refused = (tries: number, reason: string): Failure =>
  permanent(
    REFUSED,
    `The destination does not commit itself to an image, although it was sent ${tries} times (${reason}). Look into its log; then retry.`,
  );

const expired = (times: number): Failure =>
  permanent(
    EXPIRED,
    `The destination took ${times} requests for storage commitment and reported on none in time. See that it can reach the port of commitments, and that it knows Scanflow’s AE title and address; then retry.`,
  );

/** What is to be done now. */
export function planCommitment(
  facts: CommitmentFacts,
  { attempts, batch }: CommitmentLimits,
  now: number,
): CommitmentPlan {
  const plan = new Planning(facts, attempts, now);
  for (const image of facts.images) if (image.increment <= facts.sent) plan.look(image);
  return plan.result(batch);
}

class Planning {
  readonly #facts: CommitmentFacts;
  readonly #attempts: number;
  readonly #rows: ReadonlyMap<string, CommitmentRow>;
  readonly #live: readonly Transaction[];
  readonly #waiting: ReadonlySet<string>;
  /** Rounds in vain, by file. */
  readonly #vain = new Map<string, number>();
  readonly #ask: (readonly [round: number, item: CommitmentItem])[] = [];
  readonly #resend: string[] = [];
  readonly #new: CommitmentRow[] = [];
  #sending = false;

  constructor(facts: CommitmentFacts, attempts: number, now: number) {
    this.#facts = facts;
    this.#attempts = attempts;
    this.#rows = new Map(facts.rows.map((row) => [row.instance, row]));
    // a late report on an older request may have settled what this one is about
    const isOpen = ({ instance, increment }: CommitmentItem): boolean => {
      const row = this.#rows.get(instance);
      return row === undefined ? increment > facts.through : row.outcome === 'again';
    };
    this.#live = facts.transactions.filter(
      ({ state, until, items }) => state === 'accepted' && until > now && items.some(isOpen),
    );
    this.#waiting = new Set(this.#live.flatMap(({ items }) => items.map(({ instance }) => instance)));
    for (const one of facts.transactions)
      if ((one.state === 'accepted' && one.until <= now) || one.state === 'expired')
        for (const { instance } of one.items)
          this.#vain.set(instance, Math.max(this.#vain.get(instance) ?? 0, one.round));
  }

  look(image: CommitmentItem): void {
    const { instance, increment } = image;
    const row = this.#rows.get(instance);
    if (row === undefined && increment <= this.#facts.through) return;
    if (row?.outcome === 'done' || row?.outcome === 'failed') return;
    const unsent = this.#facts.unsent.get(instance);
    if (unsent === 'again') this.#sending = true;
    if (unsent !== undefined) {
      // if it is sent after all, its commitment is requested
      if (row === undefined) this.#new.push({ instance, outcome: 'again', detail: named(0, true) });
      return;
    }
    if (this.#waiting.has(instance)) return;
    if (row !== undefined && !readNamed(row.detail).resent) this.#named(instance, readNamed(row.detail));
    else this.#askFor(image);
  }

  #named(instance: string, { tries, reason = 'no reason given' }: Named): void {
    if (tries < this.#attempts) this.#resend.push(instance);
    else this.#giveUp(instance, refused(tries, reason));
  }

  #askFor(image: CommitmentItem): void {
    const vain = this.#vain.get(image.instance) ?? 0;
    if (vain < this.#attempts) this.#ask.push([vain + 1, image]);
    else this.#giveUp(image.instance, expired(vain));
  }

  #giveUp(instance: string, failure: Failure): void {
    this.#new.push({ instance, outcome: 'failed', detail: JSON.stringify(failure) });
  }

  result(batch: number): CommitmentPlan {
    const ask = [...Map.groupBy(this.#ask, ([round]) => round)].flatMap(([round, asked]) => {
      const items = asked.map(([, item]) => item);
      return Array.from({ length: Math.ceil(items.length / batch) }, (_, index) => ({
        round,
        items: items.slice(index * batch, (index + 1) * batch),
      }));
    });
    const failed = [...this.#facts.rows, ...this.#new].find(({ outcome }) => outcome === 'failed');
    return {
      ask,
      resend: this.#resend,
      rows: this.#new,
      ended: this.#ended(),
      until: this.#live.length === 0 ? undefined : Math.min(...this.#live.map(({ until }) => until)),
      sending: this.#sending,
      failure: failed === undefined ? undefined : (JSON.parse(failed.detail) as Failure),
    };
  }

  /** Rounds without a report count as long as their images are requested. A request without an answer does not count. */
  #ended(): CommitmentPlan['ended'] {
    const asked = new Set(this.#ask.map(([, { instance }]) => instance));
    return this.#facts.transactions.flatMap(({ uid, state, items }) => {
      if (state === 'closed' || this.#live.some((one) => one.uid === uid)) return [];
      const counts = state !== 'asked' && items.some(({ instance }) => asked.has(instance));
      const next = counts ? 'expired' : 'closed';
      return next === state ? [] : [{ uid, state: next }];
    });
  }
}

/** What a report says of one request, as rows to write; what stands in neither list was not committed to. */
export function judgeReport(
  transaction: Transaction,
  report: {
    readonly committed: ReadonlySet<string>;
    readonly failed: ReadonlyMap<string, { readonly text: string; readonly askAgain: boolean }>;
  },
  rows: ReadonlyMap<string, CommitmentRow>,
  through: number,
): CommitmentRow[] {
  const current = transaction.state === 'asked' || transaction.state === 'accepted';
  return transaction.items.flatMap(({ instance, sopInstanceUid, increment }) => {
    const row = rows.get(instance);
    if (row?.outcome === 'done' || (row === undefined && increment <= through)) return [];
    const isCommitted = report.committed.has(sopInstanceUid);
    if (!current && !(isCommitted && isOpen(row))) return [];
    if (isCommitted) return [{ instance, outcome: 'done' as const, detail: '' }];
    return [namedAgain(instance, row, report.failed.get(sopInstanceUid))];
  });
}

/** A late report settles only images that have no row, or whose row expired. */
const isOpen = (row: CommitmentRow | undefined): boolean =>
  row === undefined || (row.outcome === 'failed' && row.detail.includes(EXPIRED));

function namedAgain(
  instance: string,
  row: CommitmentRow | undefined,
  { text, askAgain } = { text: 'not named in the report', askAgain: false },
): CommitmentRow {
  const tries = row?.outcome === 'again' ? readNamed(row.detail).tries : 0;
  return { instance, outcome: 'again', detail: named(tries + 1, askAgain, text) };
}

export interface CommitmentNow extends Omit<CommitmentFacts, 'images' | 'through'> {
  /** Counts what happened to the leg: a later one tells that there is something new. */
  readonly news: number;
}

export interface Reported {
  readonly transactionUid: string;
  /** SOP Instance UIDs. */
  readonly committed: ReadonlySet<string>;
  /** Likewise, and why; `askAgain`: it need not be sent again. */
  readonly failed: ReadonlyMap<string, { readonly text: string; readonly askAgain: boolean }>;
}

export type ReportedOutcome =
  /** Nobody asked that, or not this destination. */
  | { readonly kind: 'unknown' }
  /** Reported before; nothing changes. */
  | { readonly kind: 'duplicate'; readonly series: string }
  | {
      readonly kind: 'taken';
      readonly series: string;
      readonly target: string;
      readonly committed: number;
      readonly failed: number;
      /** It was no longer waited for. */
      readonly late: boolean;
    };

/** Sends requests to a destination; never throws because of what it does. */
interface CommitmentAsker {
  readonly newUid: () => string;
  readonly ask: (
    transactionUid: string,
    references: readonly Reference[],
    signal: AbortSignal,
  ) => Promise<
    | { readonly ok: true; readonly status: number; readonly comment?: string }
    | { readonly ok: false; readonly failure: Failure }
  >;
}

export interface Committing {
  /** Name of the destination. */
  readonly name: string;
  readonly asker: CommitmentAsker;
  /** Without a report for so long, the request is repeated. Milliseconds. */
  readonly withinMs: number;
  readonly attempts: number;
  readonly batch: number;
}

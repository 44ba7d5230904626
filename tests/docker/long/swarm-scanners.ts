/** Scanners that query one address without end, and one that sends series; what they live through while something dies. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { dataSet, newUid, sopClasses } from '@scanflow/dicom';
import { find, type Peer } from '@scanflow/dimse';
import { examBegins, examEnds, storescu, until } from '@scanflow/testkit';
import { nCreate, nSet } from '@scanflow/testkit/dimse/normalized';
import { phantom } from '../../integration/streamer-support.ts';
import { taggedDataSets } from './swarm-support.ts';

const EVERY_MS = 150;
const MPPS = sopClasses.modalityPerformedProcedureStep;
/** A scanner gives up this soon, and asks again. */
const TIMEOUTS = { connect: 2_000, association: 3_000, response: 5_000, release: 1_000 };

/** Scanner `callingAet` at `from`, an address of this machine, which calls a worklist. */
export const worklistAt = (host: string, port: number, from: string, callingAet = 'PRISMA'): Peer => ({
  ...{ host, port, callingAet, calledAet: 'SCANFLOW', timeouts: TIMEOUTS },
  dial: async (to, signal) => {
    const socket = connect({ host: to.host, port: to.port, localAddress: from });
    // where the scanner has given up, nobody else hears it
    socket.on('error', () => socket.destroy());
    await once(socket, 'connect', { signal }).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    return socket;
  },
});

/** Whether it gets a list with bookings. */
export async function getsList(peer: Peer): Promise<boolean> {
  const identifier = dataSet({ PatientID: '', AccessionNumber: '' });
  const found = await find(peer, { sopClass: sopClasses.modalityWorklistFind, identifier });
  return found.ok && found.status === 0 && found.matches.length > 0;
}

/** Scanners that query in turns of 150 ms. */
export class Scanners {
  readonly #ended = new AbortController();
  readonly #running: readonly Promise<void>[];
  readonly #answered: number[];
  /** Since when each has had no answer, in milliseconds. */
  readonly #waiting: (number | undefined)[];
  queries = 0;
  failed = 0;
  /** Longest time from the start of a query that failed to the end of the next answered one, and longest answered query. */
  away = 0;

  /** @param ask the query of scanner number `at` */
  constructor(count: number, ask: (at: number) => Promise<boolean>) {
    this.#answered = Array.from({ length: count }, () => 0);
    this.#waiting = Array.from({ length: count }, () => undefined);
    this.#running = this.#answered.map((_, at) => this.#queryOn(at, ask));
  }

  async #queryOn(at: number, ask: (at: number) => Promise<boolean>): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const since = (this.#waiting[at] ??= performance.now());
      this.queries += 1;
      if (await ask(at)) {
        this.away = Math.max(this.away, performance.now() - since);
        this.#waiting[at] = undefined;
        this.#answered[at] = (this.#answered[at] ?? 0) + 1;
      } else this.failed += 1;
      await pause(EVERY_MS);
    }
  }

  /** Each gets some more answers. */
  async goOn(answers = 5): Promise<void> {
    const marks = this.#answered.map((count) => count + answers);
    const all = (): boolean => this.#answered.every((count, at) => count >= (marks[at] ?? 0));
    await until(all, { what: 'all scanners get answers', timeoutMs: 120_000, everyMs: 50 });
  }

  /** The longest that one of them was without an answer while something happens and shortly after, in milliseconds. */
  async during(happens: () => Promise<void>): Promise<number> {
    await this.goOn(1);
    this.away = 0;
    await happens();
    await this.goOn();
    return this.away;
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#running);
  }
}

/** A scanner that sends one series after the other, and each again until all of it got Success. */
export class Sender {
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;
  readonly #folder: string;
  #gaveUp = false;
  series = 0;
  /** Series that had to be sent again. */
  again = 0;

  constructor(folder: string, port: number, images: number) {
    this.#folder = folder;
    this.#running = this.#sendOn(port, images);
  }

  async #sendOn(port: number, images: number): Promise<void> {
    const peer = { port, calledAet: 'ORTHANC', callingAet: 'PRISMA' };
    while (!this.#ended.signal.aborted) {
      const folder = join(this.#folder, String(this.series));
      await phantom(folder, { images, seriesNumber: 100 + this.series, rows: 64, columns: 64 });
      while (!this.#gaveUp && !(await storescu(peer, [folder]).then(always, never))) {
        this.again += 1;
        await pause(1_000);
      }
      this.series += 1;
      await pause(1_000);
    }
  }

  /** Ends, whatever it did not get through. */
  async giveUp(): Promise<void> {
    this.#gaveUp = true;
    this.#ended.abort();
    await this.#running;
  }

  /** What project storage has to hold of all that it sent. */
  async end(): Promise<string[]> {
    this.#ended.abort();
    await this.#running;
    const sent = await taggedDataSets(this.#folder);
    await rm(this.#folder, { recursive: true });
    return sent;
  }
}

const always = (): true => true;
const never = (): false => false;

/** Begins an exam; its UID once a worklist took it. */
export async function beginExam(peer: Peer): Promise<string> {
  const uid = newUid();
  const attributes = dataSet(examBegins({ accessionNumber: '', at: now() }));
  await untilDone(() => nCreate(peer, { sopClass: MPPS, sopInstanceUid: uid, attributes }));
  return uid;
}

export const endExam = (peer: Peer, uid: string): Promise<void> => {
  const modifications = dataSet(examEnds('COMPLETED', { at: now() }));
  return untilDone(() => nSet(peer, { sopClass: MPPS, sopInstanceUid: uid, modifications }));
};

const now = (): Temporal.ZonedDateTime => Temporal.Now.zonedDateTimeISO('Europe/Amsterdam').round('second');

/** A scanner repeats a report that nobody answered. */
async function untilDone(report: () => Promise<{ ok: boolean; status?: number }>): Promise<void> {
  await until(
    async () => {
      const answer = await report();
      if (answer.ok && answer.status !== 0) throw new Error(`status ${String(answer.status)}`);
      return answer.ok;
    },
    { what: 'a worklist takes the report', timeoutMs: 30_000, everyMs: 500 },
  );
}

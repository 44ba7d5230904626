/** The ledger, on whatever database: what was seen, what is due, in whose hands it is, what is done. */
import { randomUUID } from 'node:crypto';
import type {
  Claim,
  CommitmentLedger,
  EventLedger,
  Followers,
  Ledger,
  Millis,
  RecoveryLedger,
  EraseLedger,
} from '../ports.ts';
import type { Failure } from '../model/failure.ts';
import { afterLeg, before, sessionNews, tellStored } from './aftermath.ts';
import * as claims from './claims.ts';
import * as cleaning from '../cleanup/sql.ts';
import * as commitments from '../commitment/sql.ts';
import type { Database, Tx } from './database.ts';
import * as deliveries from '../hooks/sql.ts';
import * as copying from '../copy/sql.ts';
import * as erasing from '../erase/sql.ts';
import * as feed from '../intake/feed-sql.ts';
import * as forwarding from '../send/sql.ts';
import * as intake from '../intake/sql.ts';
import * as moving from '../move/sql.ts';
import * as people from './people.ts';
import * as progress from './progress.ts';
import { recheckingOn } from '../store/recheck-sql.ts';
import * as recovery from '../rebuild/sql.ts';
import { rootsOn } from '../roots/sql.ts';
import * as sessions from '../sessions/sql.ts';
import * as storing from '../store/sql.ts';
import * as joining from '../joining/sql.ts';
import type { JoinLedger } from '../joining/types.ts';
import { verifyOn } from '../verify/ledger.ts';
import * as verifying from '../verify/sql.ts';
import { prune } from '../verify/sql-jobs.ts';
import { labelled, listSeries, quarantinedSeries, summarise } from './views.ts';

/** How long a claim holds without a sign of life, where nothing else is asked for. */
export const DEFAULT_LEASE_MS = 60_000;

/** No hooks. */
const NOBODY: Followers = { hooksFor: () => [], sessionQuietMs: 0 };

/** The ledger's methods as transactions on this database. */
export function ledgerOn(
  database: Database,
  leaseMs: number = DEFAULT_LEASE_MS,
  followers: Followers = NOBODY,
): Ledger {
  const write = database.transaction.bind(database);
  const read = database.read.bind(database);
  const told = toldOn(database, followers);
  return {
    ...eventsOn(database, leaseMs, followers),
    ...intakeOn(database, leaseMs, followers),
    ...rootsOn(database),
    ...recheckingOn(database),
    ...commitmentsOn(database, followers),
    ...recoveryOn(database),
    ...joiningOn(database),
    ...verifyOn(database, leaseMs, followers),
    ...viewsOn(database),
    leaseMs,
    ...(database.broken === undefined ? {} : { broken: database.broken }),
    clampTimers: (...given) => write((tx) => intake.clampTimers(tx, ...given)),
    nextStore: (now, alongside = []) => write((tx) => claims.claimStore(tx, now, leaseMs, alongside)),
    nextForward: (target, now) => write((tx) => claims.claimForward(tx, target, now, leaseMs)),
    nextTime: (target) => read((tx) => claims.nextTime(tx, target)),
    renew: (claim, now) => write((tx) => claims.renew(tx, claim, now, leaseMs)),
    giveBack: (...given) => write((tx) => claims.giveBack(tx, ...given)),
    bind: (...given) => write((tx) => storing.bind(tx, ...given)),
    record: (...given) => write((tx) => progress.record(tx, ...given)),
    progress: (...given) => read((tx) => progress.progress(tx, ...given)),
    stored: told(verifying.afterStoring(storing.stored, followers)),
    storeLater: (...given) => write((tx) => progress.tryLater(tx, ...given)),
    storeFailed: told(storing.storeFailed),
    quarantine: (claim, found, now) =>
      write(async (tx) => {
        await storing.quarantine(tx, claim, found, now);
        await sessionNews(tx, followers, claim.series, found.attributes, now);
      }),
    ...changesOn(database, followers),
    retry: (...given) => write((tx) => storing.retry(tx, ...given)),
    forwarded: told(async (tx, claim, through: number, failure: Failure | undefined, now: Millis) => {
      if (followers.commits?.(claim.target) === true) await commitments.openCommitment(tx, claim, now);
      await forwarding.forwarded(tx, claim, through, failure, now);
    }),
    copied: told(verifying.afterCopying(copying.copied, followers)),
    forwardFailed: told(forwarding.forwardFailed),
    unwanted: told(forwarding.unwanted),
    open: (...given) => write((tx) => forwarding.open(tx, ...given)),
    forwardLater: (...given) => write((tx) => progress.tryLater(tx, ...given)),
  };
}

/** After a loss, and what is erased. */
function recoveryOn(database: Database): RecoveryLedger & EraseLedger {
  const write = database.transaction.bind(database);
  return {
    recover: (...given) => write((tx) => recovery.recover(tx, ...given)),
    awaitUnknown: (...given) => write((tx) => recovery.awaitUnknown(tx, ...given)),
    doubtSent: (now) => write((tx) => recovery.doubtSent(tx, now)),
    quietSessions: () => write(recovery.quietSessions),
    held: (...given) => database.read((tx) => erasing.held(tx, ...given)),
    forget: (...given) => write((tx) => erasing.forget(tx, ...given)),
    rewriteMoves: (...given) => write((tx) => erasing.rewriteMoves(tx, ...given)),
    scrub: () => database.scrub?.() ?? Promise.resolve(),
  };
}

/** Series of Orthanc's that are one. */
const joiningOn = (database: Database): JoinLedger => ({
  members: (lead) => database.read((tx) => joining.members(tx, lead)),
  part: (...given) => database.transaction((tx) => joining.part(tx, ...given)),
  rejoin: (...given) => database.transaction((tx) => joining.rejoin(tx, ...given)),
});

/** What people and metrics ask for. */
const viewsOn = ({
  read,
}: Pick<Database, 'read'>): Pick<Ledger, 'quarantined' | 'list' | 'labelled' | 'summary'> => ({
  labelled: (...given) => read((tx) => labelled(tx, ...given)),
  quarantined: () => read(quarantinedSeries),
  list: (query) => read((tx) => listSeries(tx, query)),
  summary: () => read(summarise),
});

/** What destinations commit themselves to. */
function commitmentsOn(database: Database, followers: Followers): CommitmentLedger {
  const write = database.transaction.bind(database);
  return {
    commitments: (...given) => database.read((tx) => commitments.commitments(tx, ...given)),
    decided: (...given) => write((tx) => commitments.decided(tx, ...given)),
    asking: (...given) => write((tx) => commitments.asking(tx, ...given)),
    accepted: (...given) => write((tx) => commitments.accepted(tx, ...given)),
    notAsked: (...given) => write((tx) => commitments.notAsked(tx, ...given)),
    sendAgain: (...given) => write((tx) => commitments.sendAgain(tx, ...given)),
    awaiting: (...given) => write((tx) => commitments.awaiting(tx, ...given)),
    committed: toldOn(database, followers)(commitments.committed),
    reported: (...given) => write((tx) => commitments.reported(tx, ...given)),
  };
}

/** What people want released and moved, and who they may look for: the senders. */
function changesOn(
  database: Database,
  followers: Followers,
): Pick<Ledger, 'release' | 'orderMove' | 'storedAnew' | 'moveDone' | 'moveFailed' | 'sent' | 'senders'> {
  const write = database.transaction.bind(database);
  const told = toldOn(database, followers);
  return {
    release: (...given) => write((tx) => storing.release(tx, ...given)),
    sent: (...given) => write((tx) => people.sent(tx, ...given)),
    senders: () => database.read(people.senders),
    orderMove: (...given) => write((tx) => moving.orderMove(tx, ...given)),
    storedAnew: (...given) => write((tx) => moving.storedAnew(tx, ...given)),
    moveDone: told(async (tx, claim, left: readonly string[], now: Millis) => {
      const { send } = await moving.moveDone(tx, claim, left, now);
      if (send) await tellStored(tx, followers, claim.series, now);
    }),
    moveFailed: told(moving.moveFailed),
  };
}

/** What Orthanc reports, read by one streamer at a time. */
function intakeOn(
  database: Database,
  leaseMs: number,
  followers: Followers,
): Pick<Ledger, 'lead' | 'cursor' | 'setCursor' | 'arrived' | 'unread' | 'reconcile' | 'close'> {
  const owner = randomUUID();
  const leading = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    database.transaction(async (tx) => {
      await feed.leads(tx, owner);
      return work(tx);
    });
  return {
    lead: (now) => database.transaction((tx) => feed.lead(tx, owner, now, leaseMs)),
    cursor: () => database.read(intake.cursor),
    setCursor: (...given) => leading((tx) => intake.setCursor(tx, ...given)),
    arrived: (...given) => leading((tx) => intake.arrived(tx, followers, ...given)),
    unread: (series) => database.read((tx) => intake.unread(tx, series)),
    reconcile: (...given) => leading((tx) => intake.reconcile(tx, followers, ...given)),
    close: async () => {
      // where the database is out of reach, the lease ends by itself
      await database.transaction((tx) => feed.leave(tx, owner)).catch(() => undefined);
      await database.close();
    },
  };
}

/** What follows once a leg's work has ended. */
function eventsOn(database: Database, leaseMs: number, followers: Followers): EventLedger {
  const write = database.transaction.bind(database);
  const read = database.read.bind(database);
  return {
    nextDelivery: (hook, now) => write((tx) => deliveries.nextDelivery(tx, hook, now, leaseMs)),
    nextDeliveryTime: (hook) => read((tx) => deliveries.nextDeliveryTime(tx, hook)),
    renewDelivery: (work, now) => write((tx) => deliveries.renewDelivery(tx, work, now, leaseMs)),
    delivered: (...given) => write((tx) => deliveries.delivered(tx, ...given)),
    notDelivered: (...given) => write((tx) => deliveries.notDelivered(tx, ...given)),
    deliveries: (subjects) => read((tx) => deliveries.deliveries(tx, subjects)),
    deliveriesIn: (...given) => read((tx) => deliveries.deliveriesIn(tx, ...given)),
    retryDeliveries: (...given) => write((tx) => deliveries.retryDeliveries(tx, ...given)),
    skipDeliveries: (...given) => write((tx) => deliveries.skipDeliveries(tx, ...given)),
    prune: (before) =>
      write(async (tx) => {
        await commitments.pruneCommitments(tx, before);
        await prune(tx, before);
        return deliveries.prune(tx, before);
      }),
    nextSession: (now) => read((tx) => sessions.nextSession(tx, now)),
    sessionComplete: (...given) => write((tx) => sessions.sessionComplete(tx, followers, ...given)),
    sessionLater: (...given) => write((tx) => sessions.sessionLater(tx, ...given)),
    sessions: (limit) => read((tx) => sessions.sessions(tx, limit)),
    session: (id) => read((tx) => sessions.session(tx, id)),
    matching: (prefix) => read((tx) => people.matching(tx, prefix)),
    ofUid: (uid) => read((tx) => people.ofUid(tx, uid)),
    collecting: (limit) => read((tx) => people.collecting(tx, limit)),
    hasten: (...given) => write((tx) => people.hasten(tx, ...given)),
    expect: (...given) => write((tx) => people.expect(tx, ...given)),
    unexpected: (...given) => read((tx) => people.unexpected(tx, ...given)),
    cleanable: (...given) => read((tx) => cleaning.cleanable(tx, followers, ...given)),
    kept: (...given) => read((tx) => cleaning.kept(tx, ...given)),
    cleaning: (...given) => write((tx) => cleaning.cleaning(tx, ...given)),
    cleaned: (...given) => write((tx) => cleaning.cleaned(tx, ...given)),
  };
}

/** The end of a leg's work, and whom it is told, in one transaction. */
const toldOn =
  (database: Database, followers: Followers) =>
  <R extends readonly unknown[]>(work: (tx: Tx, claim: Claim, ...rest: [...R, Millis]) => Promise<void>) =>
  (claim: Claim, ...rest: [...R, Millis]): Promise<void> =>
    database.transaction(async (tx) => {
      const was = await before(tx, claim);
      await work(tx, claim, ...rest);
      await afterLeg(tx, followers, claim, was, rest.at(-1) as Millis);
    });

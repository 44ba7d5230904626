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
import type { Database, Session } from './database.ts';
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
    clampTimers: (...given) => write((db) => intake.clampTimers(db, ...given)),
    nextStore: (now, alongside = []) => write((db) => claims.claimStore(db, now, leaseMs, alongside)),
    nextForward: (target, now) => write((db) => claims.claimForward(db, target, now, leaseMs)),
    nextTime: (target) => read((db) => claims.nextTime(db, target)),
    renew: (claim, now) => write((db) => claims.renew(db, claim, now, leaseMs)),
    giveBack: (...given) => write((db) => claims.giveBack(db, ...given)),
    bind: (...given) => write((db) => storing.bind(db, ...given)),
    record: (...given) => write((db) => progress.record(db, ...given)),
    progress: (...given) => read((db) => progress.progress(db, ...given)),
    stored: told(verifying.afterStoring(storing.stored, followers)),
    storeLater: (...given) => write((db) => progress.tryLater(db, ...given)),
    storeFailed: told(storing.storeFailed),
    quarantine: (claim, found, now) =>
      write(async (db) => {
        await storing.quarantine(db, claim, found, now);
        await sessionNews(db, followers, claim.series, found.attributes, now);
      }),
    ...changesOn(database, followers),
    retry: (...given) => write((db) => storing.retry(db, ...given)),
    forwarded: told(async (db, claim, through: number, failure: Failure | undefined, now: Millis) => {
      if (followers.commits?.(claim.target) === true) await commitments.openCommitment(db, claim, now);
      await forwarding.forwarded(db, claim, through, failure, now);
    }),
    copied: told(verifying.afterCopying(copying.copied, followers)),
    forwardFailed: told(forwarding.forwardFailed),
    unwanted: told(forwarding.unwanted),
    open: (...given) => write((db) => forwarding.open(db, ...given)),
    forwardLater: (...given) => write((db) => progress.tryLater(db, ...given)),
  };
}

/** After a loss, and what is erased. */
function recoveryOn(database: Database): RecoveryLedger & EraseLedger {
  const write = database.transaction.bind(database);
  return {
    recover: (...given) => write((db) => recovery.recover(db, ...given)),
    awaitUnknown: (...given) => write((db) => recovery.awaitUnknown(db, ...given)),
    doubtSent: (now) => write((db) => recovery.doubtSent(db, now)),
    quietSessions: () => write(recovery.quietSessions),
    held: (...given) => database.read((db) => erasing.held(db, ...given)),
    forget: (...given) => write((db) => erasing.forget(db, ...given)),
    rewriteMoves: (...given) => write((db) => erasing.rewriteMoves(db, ...given)),
    scrub: () => database.scrub?.() ?? Promise.resolve(),
  };
}

/** Series of Orthanc's that are one. */
const joiningOn = (database: Database): JoinLedger => ({
  members: (lead) => database.read((db) => joining.members(db, lead)),
  part: (...given) => database.transaction((db) => joining.part(db, ...given)),
  rejoin: (...given) => database.transaction((db) => joining.rejoin(db, ...given)),
});

/** What people and metrics ask for. */
const viewsOn = ({
  read,
}: Pick<Database, 'read'>): Pick<Ledger, 'quarantined' | 'list' | 'labelled' | 'summary'> => ({
  labelled: (...given) => read((db) => labelled(db, ...given)),
  quarantined: () => read(quarantinedSeries),
  list: (query) => read((db) => listSeries(db, query)),
  summary: () => read(summarise),
});

/** What destinations commit themselves to. */
function commitmentsOn(database: Database, followers: Followers): CommitmentLedger {
  const write = database.transaction.bind(database);
  return {
    commitments: (...given) => database.read((db) => commitments.commitments(db, ...given)),
    decided: (...given) => write((db) => commitments.decided(db, ...given)),
    asking: (...given) => write((db) => commitments.asking(db, ...given)),
    accepted: (...given) => write((db) => commitments.accepted(db, ...given)),
    notAsked: (...given) => write((db) => commitments.notAsked(db, ...given)),
    sendAgain: (...given) => write((db) => commitments.sendAgain(db, ...given)),
    awaiting: (...given) => write((db) => commitments.awaiting(db, ...given)),
    committed: toldOn(database, followers)(commitments.committed),
    reported: (...given) => write((db) => commitments.reported(db, ...given)),
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
    release: (...given) => write((db) => storing.release(db, ...given)),
    sent: (...given) => write((db) => people.sent(db, ...given)),
    senders: () => database.read(people.senders),
    orderMove: (...given) => write((db) => moving.orderMove(db, ...given)),
    storedAnew: (...given) => write((db) => moving.storedAnew(db, ...given)),
    moveDone: told(async (db, claim, left: readonly string[], now: Millis) => {
      const { send } = await moving.moveDone(db, claim, left, now);
      if (send) await tellStored(db, followers, claim.series, now);
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
  const leading = <T>(work: (db: Session) => Promise<T>): Promise<T> =>
    database.transaction(async (db) => {
      await feed.leads(db, owner);
      return work(db);
    });
  return {
    lead: (now) => database.transaction((db) => feed.lead(db, owner, now, leaseMs)),
    cursor: () => database.read(intake.cursor),
    setCursor: (...given) => leading((db) => intake.setCursor(db, ...given)),
    arrived: (...given) => leading((db) => intake.arrived(db, followers, ...given)),
    unread: (series) => database.read((db) => intake.unread(db, series)),
    reconcile: (...given) => leading((db) => intake.reconcile(db, followers, ...given)),
    close: async () => {
      // where the database is out of reach, the lease ends by itself
      await database.transaction((db) => feed.leave(db, owner)).catch(() => undefined);
      await database.close();
    },
  };
}

/** What follows once a leg's work has ended. */
function eventsOn(database: Database, leaseMs: number, followers: Followers): EventLedger {
  const write = database.transaction.bind(database);
  const read = database.read.bind(database);
  return {
    nextDelivery: (hook, now) => write((db) => deliveries.nextDelivery(db, hook, now, leaseMs)),
    nextDeliveryTime: (hook) => read((db) => deliveries.nextDeliveryTime(db, hook)),
    renewDelivery: (work, now) => write((db) => deliveries.renewDelivery(db, work, now, leaseMs)),
    delivered: (...given) => write((db) => deliveries.delivered(db, ...given)),
    notDelivered: (...given) => write((db) => deliveries.notDelivered(db, ...given)),
    deliveries: (subjects) => read((db) => deliveries.deliveries(db, subjects)),
    deliveriesIn: (...given) => read((db) => deliveries.deliveriesIn(db, ...given)),
    retryDeliveries: (...given) => write((db) => deliveries.retryDeliveries(db, ...given)),
    skipDeliveries: (...given) => write((db) => deliveries.skipDeliveries(db, ...given)),
    prune: (before) =>
      write(async (db) => {
        await commitments.pruneCommitments(db, before);
        await prune(db, before);
        return deliveries.prune(db, before);
      }),
    nextSession: (now) => read((db) => sessions.nextSession(db, now)),
    sessionComplete: (...given) => write((db) => sessions.sessionComplete(db, followers, ...given)),
    sessionLater: (...given) => write((db) => sessions.sessionLater(db, ...given)),
    sessions: (limit) => read((db) => sessions.sessions(db, limit)),
    session: (id) => read((db) => sessions.session(db, id)),
    matching: (prefix) => read((db) => people.matching(db, prefix)),
    ofUid: (uid) => read((db) => people.ofUid(db, uid)),
    collecting: (limit) => read((db) => people.collecting(db, limit)),
    hasten: (...given) => write((db) => people.hasten(db, ...given)),
    expect: (...given) => write((db) => people.expect(db, ...given)),
    unexpected: (...given) => read((db) => people.unexpected(db, ...given)),
    cleanable: (...given) => read((db) => cleaning.cleanable(db, followers, ...given)),
    kept: (...given) => read((db) => cleaning.kept(db, ...given)),
    cleaning: (...given) => write((db) => cleaning.cleaning(db, ...given)),
    cleaned: (...given) => write((db) => cleaning.cleaned(db, ...given)),
  };
}

/** The end of a leg's work, and whom it is told, in one transaction. */
const toldOn =
  (database: Database, followers: Followers) =>
  <R extends readonly unknown[]>(
    work: (db: Session, claim: Claim, ...rest: [...R, Millis]) => Promise<void>,
  ) =>
  (claim: Claim, ...rest: [...R, Millis]): Promise<void> =>
    database.transaction(async (db) => {
      const was = await before(db, claim);
      await work(db, claim, ...rest);
      await afterLeg(db, followers, claim, was, rest.at(-1) as Millis);
    });

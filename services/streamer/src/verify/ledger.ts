/** Verification's part of the ledger, as transactions on a database. */
import type { Database } from '../ledger/database.ts';
import type { Followers } from '../ports.ts';
import * as jobs from './sql-jobs.ts';
import * as sql from './sql.ts';
import type { VerifyLedger } from './types.ts';

export function verifyOn(database: Database, leaseMs: number, followers: Followers): VerifyLedger {
  const write = database.transaction.bind(database);
  const read = database.read.bind(database);
  return {
    adjustVerify: (...given) => write((db) => sql.adjust(db, ...given)),
    nextVerify: (now) => write((db) => sql.next(db, now, leaseMs)),
    nextAsked: (now) => write((db) => jobs.nextAsked(db, now, leaseMs)),
    renewVerify: (work, now) => write((db) => sql.renew(db, work, now, leaseMs)),
    giveBackVerify: (...given) => write((db) => sql.giveBack(db, ...given)),
    looked: (...given) => write((db) => sql.looked(db, followers, ...given)),
    notLooked: (work, failure, nextTry) => write((db) => sql.notLooked(db, work, failure, nextTry)),
    endVerify: (work) => write((db) => sql.end(db, work)),
    ask: (...given) => write((db) => jobs.ask(db, ...given)),
    job: (id) => read((db) => jobs.job(db, id)),
    jobResults: (...given) => read((db) => jobs.jobResults(db, ...given)),
    stopJob: (id) => write((db) => jobs.stopJob(db, id)),
    acknowledge: (...given) => write((db) => jobs.acknowledge(db, ...given)),
    verifySummary: () => read(sql.summary),
    storing: () => read(sql.storing),
    holdFolder: (series, place, now) => write((db) => sql.holdFolder(db, series, place, now, leaseMs)),
  };
}

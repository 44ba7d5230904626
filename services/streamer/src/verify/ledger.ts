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
    adjustVerify: (...given) => write((tx) => sql.adjust(tx, ...given)),
    nextVerify: (now) => write((tx) => sql.next(tx, now, leaseMs)),
    nextAsked: (now) => write((tx) => jobs.nextAsked(tx, now, leaseMs)),
    renewVerify: (work, now) => write((tx) => sql.renew(tx, work, now, leaseMs)),
    giveBackVerify: (...given) => write((tx) => sql.giveBack(tx, ...given)),
    looked: (...given) => write((tx) => sql.looked(tx, followers, ...given)),
    notLooked: (work, failure, nextTry) => write((tx) => sql.notLooked(tx, work, failure, nextTry)),
    endVerify: (work) => write((tx) => sql.end(tx, work)),
    ask: (...given) => write((tx) => jobs.ask(tx, ...given)),
    job: (id) => read((tx) => jobs.job(tx, id)),
    jobResults: (...given) => read((tx) => jobs.jobResults(tx, ...given)),
    stopJob: (id) => write((tx) => jobs.stopJob(tx, id)),
    acknowledge: (...given) => write((tx) => jobs.acknowledge(tx, ...given)),
    verifySummary: () => read(sql.summary),
    storing: () => read(sql.storing),
    holdFolder: (series, place, now) => write((tx) => sql.holdFolder(tx, series, place, now, leaseMs)),
  };
}

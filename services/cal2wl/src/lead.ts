/** Which of several cal2wl publishes: the lease that they share in PostgreSQL, and files that only its owner changes. */
import { access, constants, unlink } from 'node:fs/promises';
import { serversIn, type Config } from '@scanflow/config';
import type { Database } from '@scanflow/database';
import { ALONE, Leadership, type Guard } from '@scanflow/database/leadership';
import { codeOf } from '@scanflow/failure';
import { defined, given } from '@scanflow/failure/defined';
import { absent, readAuthority, readSecret, writeFileAtomic, type Fault, type Log } from '@scanflow/runtime';

/** Files in folders that several cal2wl share. Each method throws FailureError STANDBY, LEASE_UNKNOWN while this one does not lead. */
export interface Files {
  /** Looks at the lease right before the file is written, and at its time right before the file gets its name. */
  write(path: string, data: string | Uint8Array, mode: number): Promise<void>;
  /** A file that is not there is fine. */
  remove(path: string): Promise<void>;
  /** Before other steps that a second cal2wl must not take at the same time. */
  mayAct(): Promise<void>;
}

export function filesOf(guard: Guard): Files {
  return {
    async write(path, data, mode) {
      await guard.require();
      await writeFileAtomic(path, data, { mode, before: () => guard.mustHold() });
    },
    async remove(path) {
      await guard.require();
      await unlink(path).catch(absent);
    },
    mayAct: () => guard.require(),
  };
}

/** One cal2wl alone over its data folder. */
export const OWN_FILES: Files = filesOf(ALONE);

/** This cal2wl no longer leads: the step was not taken, and whatever led to it has to end. */
export const isLeaseGone = (error: unknown): boolean =>
  ['STANDBY', 'LEASE_UNKNOWN'].includes(codeOf(error) ?? '');

/** /healthz shows it to anybody, and the error may hold the name of a file. */
export const cannotLead = (error: unknown): Fault => ({
  state: 'failing',
  code: 'PUBLISH',
  message: `This cal2wl cannot lead (${codeOf(error) ?? 'UNEXPECTED'}); the log says why. Check space and permissions of the data folder.`,
});

/** Present where several cal2wl may run; `unguarded`: why nothing keeps a second one from publishing, though it may run. */
export interface Lead {
  readonly leadership?: Leadership;
  readonly unguarded?: Fault;
  close(): Promise<void>;
}

/** The server need not answer yet. Throws an Error for a certificate that cannot be used. */
export async function openLead({ ledger }: Pick<Config, 'ledger'>, log: Log): Promise<Lead> {
  const { url, lease: leaseMs, cal2wl, tls } = ledger;
  if (url === undefined) return { close: () => Promise.resolve() };
  if (cal2wl === undefined && !(await isReadable(ledger.passwordFile))) {
    log.warn(UNGUARDED.message, { code: UNGUARDED.code });
    return { unguarded: UNGUARDED, close: () => Promise.resolve() };
  }
  const { passwordFile } = cal2wl ?? ledger;
  const user = cal2wl?.user;
  const urls = serversIn(url).map((one) => (user === undefined ? one : withUser(one, user)));
  const database = await openDatabase(urls, leaseMs, { passwordFile, ca: tls?.ca });
  const leadership = new Leadership({ database, name: 'cal2wl', leaseMs });
  return { leadership, close: () => database.close() };
}

function withUser(url: string, user: string): string {
  const own = new URL(url);
  own.username = encodeURIComponent(user);
  return own.href;
}

/** A configuration of an earlier version, in containers: only the streamer gets the password of the ledger. */
const UNGUARDED: Fault = {
  state: 'degraded',
  code: 'LEASE_MISSING',
  message:
    'cal2wl cannot read ledger.passwordFile, so it publishes without a lease, and nothing keeps a second one from publishing, too. Run one cal2wl, or set ledger.cal2wl: docs/scale.md#two-cal2wl',
};

const isReadable = async (file: string | undefined): Promise<boolean> =>
  file === undefined ||
  access(file, constants.R_OK).then(
    () => true,
    () => false,
  );

async function openDatabase(
  url: readonly string[],
  leaseMs: number,
  { passwordFile, ca }: { readonly passwordFile: string | undefined; readonly ca: string | undefined },
): Promise<Database> {
  const authority = ca === undefined ? undefined : await readAuthority(ca, 'ledger.tls.ca');
  // only where it is needed: the driver takes memory
  const { openLeaseServer } = await import('@scanflow/database');
  const password = given(passwordFile, (file) => () => readSecret(file));
  return openLeaseServer(
    { url, ...defined({ ca: authority, password }) },
    // the streamer's lock, since both make the table in the ledger
    { user: 'cal2wl', section: 'ledger', leaseMs, migrationLock: 5_283_001 },
  );
}

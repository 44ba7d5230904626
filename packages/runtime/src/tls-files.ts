/** Keys and certificates on disk: read, checked, and read again when somebody renews them. */
import { X509Certificate } from 'node:crypto';
import { codeOf, messageOf } from '@scanflow/failure';
import { readBounded, stampOf } from './files.ts';
import type { Log } from './log.ts';

type Role = 'key' | 'certificate' | 'ca';
/** Paths of PEM files. */
export type TlsFiles = { readonly [Key in Role]?: string | undefined };
/** Their texts. */
export type TlsTexts = { readonly [Key in Role]?: string };

export interface TlsStore {
  /** The texts of this moment; the same object until they change. */
  readonly current: () => TlsTexts;
  readonly close: () => void;
}

export interface TlsStoreOptions {
  readonly log: Log;
  /** Tries and uses renewed texts; where it throws, those before stay. */
  readonly use: (texts: TlsTexts) => void;
  /** How often the files are looked at, in milliseconds; default a minute. */
  readonly everyMs?: number;
}

const ROLES: readonly Role[] = ['key', 'certificate', 'ca'];
const LIMIT = 1_048_576;
const SOON_DAYS = 21;
const MINUTE_MS = 60_000;

/** Reads PEM files of at most 1 MiB each. Throws an Error that names the file and says what to do. */
export async function readTlsFiles(files: TlsFiles): Promise<TlsTexts> {
  const texts = await Promise.all(
    ROLES.map(async (role) => {
      const path = files[role];
      return path === undefined ? [] : [[role, await readPem(role, path)] as const];
    }),
  );
  return Object.fromEntries(texts.flat());
}

/** The certificate of an authority. `key`: of the configuration, for the Error where the file cannot be used. */
export async function readAuthority(path: string, key: string): Promise<string> {
  try {
    const { ca = '' } = await readTlsFiles({ ca: path });
    // what cannot be read as one is passed over in silence later
    certificateIn(ca);
    return ca;
  } catch (error) {
    throw new Error(
      `${key} cannot be used: ${path} has to hold the certificate of the authority, in PEM (${messageOf(error)}).`,
      { cause: error },
    );
  }
}

const certificateIn = (pem: string): X509Certificate => new X509Certificate(pem);

/**
 * Reads the files, and looks at them again and again: renewed ones are used without a restart. What is renewed but
 * cannot be used is logged, and what was there before stays. Throws, as readTlsFiles does and as `use` does, only for
 * the first reading.
 */
export async function openTlsStore(files: TlsFiles, options: TlsStoreOptions): Promise<TlsStore> {
  const { log, use, everyMs = MINUTE_MS } = options;
  let seen = await stampsOf(files);
  let current = await readTlsFiles(files);
  use(current);
  warnOfExpiry(current, files, log);
  let trouble = '';
  const look = async (): Promise<void> => {
    const stamp = await stampsOf(files);
    if (stamp === seen) return;
    try {
      const next = await readTlsFiles(files);
      use(next);
      current = next;
      seen = stamp;
      trouble = '';
      log.info('tls.renewed', { certificate: files.certificate, ca: files.ca });
      warnOfExpiry(current, files, log);
    } catch (error) {
      // looked at again next time: key and certificate are seldom replaced in one moment
      if (messageOf(error) !== trouble) log.error('tls.renewal-unusable', { reason: messageOf(error) });
      trouble = messageOf(error);
    }
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, everyMs);
  timer.unref();
  return { current: () => current, close: () => clearInterval(timer) };
}

const MARKS: Readonly<Record<Role, RegExp>> = {
  key: /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  certificate: /-----BEGIN CERTIFICATE-----/,
  ca: /-----BEGIN CERTIFICATE-----/,
};
const HINTS: Readonly<Record<string, string>> = {
  ENOENT: '; put it there, or correct the configuration',
  EACCES: '; let the user of this process read it',
};

async function readPem(role: Role, path: string): Promise<string> {
  const name = `the file ${path} of tls.${role}`;
  const bytes = await readBounded(path, LIMIT).catch((error: unknown) => {
    throw new Error(`${name} cannot be read: ${messageOf(error)}${HINTS[codeOf(error) ?? ''] ?? ''}`, {
      cause: error,
    });
  });
  const text = bytes.toString('latin1');
  if (bytes.length > LIMIT || !MARKS[role].test(text))
    throw new Error(`${name} holds no ${role === 'key' ? 'private key' : 'certificate'} in PEM`);
  return text;
}

/** Changes whenever one of the files does. */
async function stampsOf(files: TlsFiles): Promise<string> {
  const stamps = ROLES.map(async (role) => files[role] && stampOf(files[role]).catch(() => undefined));
  return (await Promise.all(stamps)).join('\n');
}

function warnOfExpiry({ certificate }: TlsTexts, files: TlsFiles, log: Log): void {
  if (certificate === undefined) return;
  const end = Temporal.Instant.fromEpochMilliseconds(new X509Certificate(certificate).validToDate.getTime());
  const left = Temporal.Now.instant().until(end).total('hours') / 24;
  if (left > SOON_DAYS) return;
  const fields = { file: files.certificate, until: end.toString() };
  if (left > 0) log.warn('tls.certificate-expires-soon', fields);
  else log.error('tls.certificate-expired', fields);
}

/** Orthanc: does it answer, is the password right, which version is it, would it lose images, and do its clock and ours agree? */
import type { Config } from '@scanflow/config';
import { codeOf, FailureError, messageOf } from '@scanflow/failure';
import { databaseOf, orthancClient, type OrthancAccess } from '@scanflow/orthanc';
import { readSecret } from '@scanflow/runtime';
import { failed, failure, ok, sees, warning, type Check, type Finding, type Place } from './check.ts';

export const orthancChecks = (place: Place): Check[] =>
  sees(place, 'streamer') ? [{ name: 'orthanc', run: (signal) => lookAtOrthanc(place, signal) }] : [];

/** Address and login of Orthanc. Throws if the password cannot be read. */
export async function accessOf({ orthanc }: Config, timeoutMs: number): Promise<OrthancAccess> {
  const { url, username, passwordFile } = orthanc;
  const password = passwordFile === undefined ? undefined : await readSecret(passwordFile);
  return { url, username, password, idleMs: timeoutMs };
}

async function asked<T>(
  access: OrthancAccess,
  ask: (client: ReturnType<typeof orthancClient>) => Promise<T>,
): Promise<T> {
  const client = orthancClient(access);
  return ask(client).finally(() => client.close());
}

type System = Readonly<Record<string, unknown>>;

/** Orthanc's /system. Throws FailureError ORTHANC_…. */
export async function systemOf(access: OrthancAccess, signal: AbortSignal): Promise<System> {
  const system = await asked(access, (client) => client.json('/system', signal));
  const fields = typeof system === 'object' && system !== null ? (system as Record<string, unknown>) : {};
  return 'DicomAet' in fields ? fields : {};
}

async function lookAtOrthanc({ config, timeoutMs }: Place, signal: AbortSignal): Promise<readonly Finding[]> {
  let access: OrthancAccess;
  try {
    access = await accessOf(config, timeoutMs);
  } catch (error) {
    return [failed(messageOf(error), 'Correct orthanc.passwordFile, or its permissions.')];
  }
  const urls = [access.url].flat();
  const looks = await Promise.all(urls.map((url) => lookAt({ ...access, url }, url, signal)));
  if (looks.length === 1) return looks.flatMap(({ findings }) => findings);
  const named = looks.flatMap(({ url, findings }) =>
    findings.map((one) => (one.message.includes(url) ? one : { ...one, message: `${url}: ${one.message}` })),
  );
  return [...named, ...judgeTogether(looks.flatMap(({ system }) => (system === undefined ? [] : [system])))];
}

interface Look {
  readonly url: string;
  readonly system?: System;
  readonly findings: readonly Finding[];
}

async function lookAt(access: OrthancAccess, url: string, signal: AbortSignal): Promise<Look> {
  try {
    const system = await systemOf(access, signal);
    const open = access.username !== undefined && (await isOpen(access, signal));
    const findings = judgeOrthanc(system, { open: open || access.username === undefined });
    if (findings.length > 0) return { url, system, findings };
    const good = ok(`${url}: version ${String(system['Version'])}, ${await holding(access, signal)}`);
    return { url, system, findings: [good] };
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const found = failure(error.failure);
    if (!/^(ENOTFOUND|EAI_AGAIN)$/.test(codeOf(error.cause) ?? '')) return { url, findings: [found] };
    const unknown = failed(found.message, UNKNOWN_NAME, found.code);
    return { url, findings: [unknown] };
  }
}

const UNKNOWN_NAME =
  'Nobody here knows this name. In containers, is Orthanc running (docker compose ps orthanc)? On their host, run sh doctor.sh. Else correct orthanc.url.';

/** Whether several Orthancs are of one database, and each has its own identifier. Old versions do not show it. Pure. */
export function judgeTogether(systems: readonly System[]): Finding[] {
  const identifiers = systems.flatMap(({ DatabaseServerIdentifier: one }) =>
    typeof one === 'string' ? [one] : [],
  );
  const databases = new Set(identifiers.map(databaseOf));
  if (databases.size > 1)
    return [
      failed(
        `the addresses of orthanc.url show different databases: ${[...databases].join(', ')}`,
        'Give each Orthanc of one database a DatabaseServerIdentifier DATABASE@NAME, with the same DATABASE (docs/scale.md). Remove addresses of other databases.',
        'ORTHANC_APART',
      ),
    ];
  if (new Set(identifiers).size < identifiers.length)
    return [
      warning(
        `two Orthancs have the same DatabaseServerIdentifier, ${identifiers.join(', ')}, or two addresses lead to one`,
        'Give each its own: DATABASE@NAME (docs/scale.md).',
      ),
    ];
  return [];
}

/** Whether it also answers without a password. */
async function isOpen({ url, idleMs }: OrthancAccess, signal: AbortSignal): Promise<boolean> {
  try {
    return 'DicomAet' in (await systemOf({ url, idleMs }, signal));
  } catch (error) {
    if (error instanceof FailureError) return false;
    throw error;
  }
}

async function holding(access: OrthancAccess, signal: AbortSignal): Promise<string> {
  const said = (await asked(access, (client) => client.json('/statistics', signal))) as System;
  return `${String(said['CountInstances'])} images, ${String(said['TotalDiskSizeMB'])} MB`;
}

/** The oldest version that we tried. */
const OLDEST = [1, 10, 1] as const;

interface Seen {
  /** It answers without a password. */
  readonly open: boolean;
}

/** Settings that lose images or open doors; empty if there are none. Settings that an old version does not show are not judged. Pure. */
export function judgeOrthanc(system: System, { open }: Seen): Finding[] {
  const { Version: version } = system;
  if (typeof version !== 'string')
    return [
      failed(
        'what answers is no Orthanc',
        'Check orthanc.url; a proxy or another program may answer there.',
        'ORTHANC_UNCLEAR',
      ),
    ];
  return [
    ...recycling(system),
    ...(system['ReadOnly'] === true
      ? [failed('it is read-only: scanners cannot send to it', 'Set ReadOnly to false in its configuration.')]
      : []),
    ...(system['OverwriteInstances'] === true
      ? [
          warning(
            'an image that is sent again replaces the first, also with other bytes (OverwriteInstances): of two corrections between two looks, the first is lost',
            'Set OverwriteInstances to false, and let scanners send to the receiver, which keeps each of them.',
          ),
        ]
      : []),
    ...(isOld(version)
      ? [
          warning(
            `version ${version} is older than ${OLDEST.join('.')}, the oldest that was tried`,
            'Update it.',
          ),
        ]
      : []),
    ...(system['DatabaseServerIdentifier'] === undefined
      ? [
          warning(
            `version ${version} has no identifier of its database: one that was emptied and filled anew shows late`,
            'Update it to 1.11.1 or later.',
          ),
        ]
      : []),
    ...(open
      ? [
          warning(
            'it answers without a password: who reaches it can read and delete images',
            'Set AuthenticationEnabled and RegisteredUsers, and orthanc.username and orthanc.passwordFile.',
          ),
        ]
      : []),
  ];
}

function recycling(system: System): Finding[] {
  const limits = ['MaximumStorageSize', 'MaximumPatientCount'].filter((key) => Number(system[key] ?? 0) > 0);
  if (limits.length === 0) return [];
  const set = limits.map((key) => `${key} ${String(system[key])}`).join(', ');
  if (system['MaximumStorageMode'] === 'Reject')
    return [
      warning(
        `beyond ${set} it refuses images; scanners show it and keep them`,
        'Free space there in time (cleanup.after), or raise the limit.',
      ),
    ];
  return [
    failed(
      `it deletes its oldest images by itself (${set}), also those that are not stored yet`,
      'Set both limits to 0, or MaximumStorageMode to Reject.',
      'ORTHANC_RECYCLES',
    ),
  ];
}

function isOld(version: string): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  // `mainline` and the like are newer than any number
  if (parts.some(Number.isNaN)) return false;
  for (const [index, least] of OLDEST.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

/** Leases, the times of images and TLS need machines whose clocks agree. */
export const clockChecks = (place: Place): Check[] => [
  {
    name: 'clock',
    run: async (signal) => {
      const { config, timeoutMs } = place;
      const now = Temporal.Now.instant();
      const local = judgeClock(now, config.facility.timezone);
      if (!sees(place, 'streamer') || local.state !== 'ok') return local;
      const theirs = await orthancsTime(config, timeoutMs, signal);
      return theirs === undefined ? local : judgeSkew(theirs, config);
    },
  },
];

interface Asked {
  readonly before: Temporal.Instant;
  readonly after: Temporal.Instant;
  /** Orthanc's time in between, to the second. */
  readonly said: Temporal.Instant;
}

/** Undefined if Orthanc does not answer: another check reports that. */
async function orthancsTime(
  config: Config,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Asked | undefined> {
  const access = await accessOf(config, timeoutMs).catch(() => undefined);
  if (access === undefined) return undefined;
  try {
    const before = Temporal.Now.instant();
    const text = await asked(access, (client) => client.text('/tools/now', signal));
    const after = Temporal.Now.instant();
    const said = orthancInstant(text);
    return said === undefined ? undefined : { before, after, said };
  } catch (error) {
    if (error instanceof FailureError) return undefined;
    throw error;
  }
}

/** Orthanc's `20261122T100203`, in UTC. Pure. */
export function orthancInstant(text: string): Temporal.Instant | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/.exec(text.trim());
  if (parts === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] = parts;
  try {
    return Temporal.Instant.from(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  } catch {
    return undefined;
  }
}

const EARLIEST = Temporal.Instant.from('2026-01-01T00:00:00Z');
const LATEST = Temporal.Instant.from('2100-01-01T00:00:00Z');

/** Whether our own clock can be right. Pure. */
export function judgeClock(now: Temporal.Instant, zone: string): Finding {
  const local = now.toZonedDateTimeISO(zone);
  const text = `${local.toPlainDate().toString()} ${local.toPlainTime().toString({ smallestUnit: 'second' })} in ${zone}`;
  return Temporal.Instant.compare(now, EARLIEST) < 0 || Temporal.Instant.compare(now, LATEST) > 0
    ? failed(`this machine's clock says ${text}`, 'Set it, by NTP.')
    : ok(`it is ${text}`);
}

const WARN_S = 5;
const FAIL_S = 30;

/** How far Orthanc's clock is from ours. Pure. */
export function judgeSkew(asked: Asked, { facility, ledger }: Pick<Config, 'facility' | 'ledger'>): Finding {
  const { before, after, said } = asked;
  // Orthanc's answer has no fractions of a second
  const early = before.since(said).total('seconds') - 1;
  const late = said.since(after).total('seconds');
  const seconds = Math.round(Math.max(early, late, 0));
  const which = early > late ? 'behind' : 'ahead of';
  const todo = 'Set both by NTP.';
  const text = `Orthanc's clock is ${seconds} s ${which} ours`;
  if (ledger.url !== undefined && seconds * 1000 > ledger.lease / 4)
    return failed(`${text}; leases of ${ledger.lease / 1000} s need clocks that agree`, todo);
  if (seconds > FAIL_S) return failed(text, todo);
  if (seconds > WARN_S) return warning(text, todo);
  return ok(`${judgeClock(after, facility.timezone).message}; Orthanc's clock agrees`);
}

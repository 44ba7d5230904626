/** Files of this machine: the data folder and project storage, with room and the right root; and secrets, keys and certificates. */
import { join } from 'node:path';
import { readBounded, readSecret, tokenFileOf } from '@scanflow/runtime';
import {
  failed,
  ok,
  OPTIONAL,
  sees,
  SERVICES,
  warning,
  type Check,
  type Finding,
  type Place,
  type ServiceName,
} from '@scanflow/transfer/doctor/check';
import { attempt, judgeSpace, kindOf, lookAtRoot, rootsOf, spaceOf } from '@scanflow/transfer/doctor/folder';
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { codeOf, messageOf } from '@scanflow/failure';
import { askApi, filesIn, type NamedFile } from '../installation.ts';

/** What each service writes below the data folder. */
const WRITES: Readonly<Record<ServiceName, readonly string[]>> = {
  cal2wl: ['worklist', 'bookings', 'cal2wl'],
  worklist: ['performed'],
  receiver: ['receiver'],
  streamer: ['streamer'],
  dashboard: ['dashboard'],
};

export function storageChecks(place: Place): Check[] {
  const { data, storage } = place.config;
  const checks: Check[] = [{ name: 'data', run: () => lookAtData(place, data) }];
  if (!sees(place, 'streamer')) return checks;
  for (const [name, root] of rootsOf(storage))
    checks.push({
      name,
      run: async (signal) => {
        const identity = await lookAtIdentity(place, root, signal);
        const folder = await lookAtRoot(root, storage.freeSpace);
        return [
          ...identity,
          ...(identity.length === 0 ? folder : folder.filter(({ state }) => state !== 'ok')),
        ];
      },
    });
  return checks;
}

async function lookAtData(place: Place, data: string): Promise<Finding[]> {
  const kind = await kindOf(data);
  if (kind !== 'folder')
    return [
      failed(
        kind === 'missing' ? `${data} does not exist` : `${data} is no folder that can be read`,
        'Start the services, which make it; or correct `data`, or mount it. In containers, ask there: docker compose exec streamer scanflow doctor.',
      ),
    ];
  const seen = SERVICES.filter((service) => sees(place, service));
  const folders = seen.flatMap((service) => WRITES[service].map((name) => ({ name, service })));
  const findings: Finding[] = [];
  const there: string[] = [];
  for (const { name, service } of folders) {
    const path = join(data, name);
    if ((await kindOf(path)) === 'missing') {
      // another check reports a service that does not answer
      if (place.service === service || !OPTIONAL.has(service))
        findings.push(warning(`${path} does not exist yet`, 'Start the service that makes it.'));
      continue;
    }
    there.push(name);
    const written = await attempt(path);
    if (typeof written !== 'number') findings.push(written);
  }
  const space = await spaceOf(data).catch(() => undefined);
  if (space !== undefined) findings.push(...judgeSpace(data, space));
  return findings.length > 0 ? findings : [ok(`${data}: ${there.join(', ')} can be written`)];
}

const LIMIT = 65_536;

async function lookAtIdentity(place: Place, root: string, signal: AbortSignal): Promise<Finding[]> {
  const page = await askApi(place.config, 'streamer', '/api/storage', signal);
  const roots = 'body' in page ? page.body['roots'] : undefined;
  if (Array.isArray(roots)) {
    const row = (roots as readonly Record<string, unknown>[]).find((one) => one['root'] === root);
    const { code, message } = row ?? {};
    return typeof code === 'string' && typeof message === 'string' ? refused(message, code) : [];
  }
  // another check reports that the streamer does not answer
  const [identity, installation] = await Promise.all([
    readJson(join(root, '.scanflow-root.json')),
    readJson(join(place.config.data, 'streamer', 'installation.json')),
  ]);
  if (identity === undefined || installation === undefined || identity['ledger'] === installation['id'])
    return [];
  return refused(`${root} belongs to another Scanflow, ${ownerIn(identity)}`, 'STORE_ROOT_OTHER');
}

const refused = (message: string, code: string): Finding[] => [
  failed(
    message,
    'Look at the mounts; scanflow storage list shows all roots, docs/storage.md what to do.',
    code,
  ),
];

function ownerIn({ owner }: Readonly<Record<string, unknown>>): string {
  if (typeof owner !== 'object' || owner === null) return 'which does not say its name';
  const { name, host } = owner as Record<string, unknown>;
  return `${String(name)} on ${String(host)}`;
}

/** Undefined if there is no such file, or it cannot be read. */
async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value: unknown = JSON.parse((await readBounded(path, LIMIT)).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

// Secret files, and keys and certificates for TLS: readable for us, for nobody else, and not expired.

const SOON_DAYS = 21;
/** Every service and command reads it. */
const TOKEN = 'http.tokenFile';

export function secretChecks(place: Place): Check[] {
  const { config } = place;
  const token: NamedFile = { key: TOKEN, path: tokenFileOf(config), kind: 'secret' };
  const files = filesIn({ ...config, http: { ...config.http, tokenFile: undefined } })
    .filter(({ key, kind }) => kind !== 'data' && sees(place, readerOf(key)))
    .concat(token);
  return [
    {
      name: 'secrets',
      run: async () => {
        const now = Temporal.Now.instant();
        const findings = (await Promise.all(files.map((file) => lookAt(file, now)))).flat();
        if (findings.length > 0) return findings;
        const count = files.length === 1 ? '1 file' : `${files.length} files`;
        return ok(`${count} of passwords, keys and certificates: readable, and not for everybody`);
      },
    },
  ];
}

/** The service that reads the file of a key. */
function readerOf(key: string): ServiceName {
  if (/^(?:calendars|bookings|ledger\.cal2wl)\./.test(key)) return 'cal2wl';
  return SERVICES.find((service) => key.startsWith(`${service}.`)) ?? 'streamer';
}

async function lookAt({ key, path, kind }: NamedFile, now: Temporal.Instant): Promise<Finding[]> {
  try {
    if (kind === 'certificate') return judgeCertificate(key, path, await readFile(path, 'utf8'), now);
    if (kind === 'secret') await readSecret(path);
    else await readFile(path);
    return judgeMode(key, path, (await stat(path)).mode);
  } catch (error) {
    const why = codeOf(error) ?? messageOf(error);
    return [
      failed(
        `${key}: ${kind === 'secret' ? messageOf(error) : `${path} cannot be read: ${why}`}`,
        key === TOKEN
          ? 'A service makes it when it starts; in containers, docker compose up -d. Until then its API stays closed.'
          : `Put it there, readable for the user of the service (chgrp, chmod 640), or correct ${key}.`,
      ),
    ];
  }
}

const OTHERS_READ = 0o004;

/** Whether everybody may read a secret. Pure. */
export const judgeMode = (key: string, path: string, mode: number): Finding[] =>
  (mode & OTHERS_READ) === 0
    ? []
    : [
        warning(
          `${key}: everybody on the machine may read ${path}`,
          `chmod o= ${path}, and give it to the group of the service.`,
        ),
      ];

/** Expiry of every certificate in a file. Pure. */
function judgeCertificate(key: string, path: string, pem: string, now: Temporal.Instant): Finding[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    return [failed(`${key}: ${path} holds no certificate in PEM`, `Put one there, or correct ${key}.`)];
  return blocks.flatMap((block) => {
    const certificate = parsed(block);
    if (certificate === undefined)
      return [failed(`${key}: a certificate of ${path} cannot be read`, 'Write it anew, in PEM.')];
    const end = Temporal.Instant.fromEpochMilliseconds(certificate.validToDate.getTime());
    const days = Math.floor(now.until(end).total('hours') / 24);
    const name = certificate.subject.replaceAll('\n', ', ');
    if (days < 0)
      return [
        failed(
          `${key}: the certificate of ${name} expired ${-days} days ago`,
          'Have it renewed.',
          'TLS_EXPIRED',
        ),
      ];
    return days > SOON_DAYS
      ? []
      : [warning(`${key}: the certificate of ${name} expires in ${days} days`, 'Have it renewed.')];
  });
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

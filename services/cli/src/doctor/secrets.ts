/** Secret files, and keys and certificates for TLS: readable for us, for nobody else, and not expired. */
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { codeOf, messageOf } from '@scanflow/failure';
import { readSecret, tokenFileOf } from '@scanflow/runtime';
import { filesIn, type NamedFile } from '../installation.ts';
import {
  failed,
  ok,
  sees,
  SERVICES,
  warning,
  type Check,
  type Finding,
  type Place,
  type ServiceName,
} from '@scanflow/transfer/doctor/check';

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
  if (key.startsWith('calendars.') || key.startsWith('bookings.')) return 'cal2wl';
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

/** Project storage and the data folder: there, writable, with room, and the root that the streamer's ledger knows. */
import { join } from 'node:path';
import { readBounded } from '@scanflow/runtime';
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
import { askApi } from '../installation.ts';

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

/** Project storage and the data folder: there, writable, with room, and the root that the streamer's ledger knows. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import { codeOf, messageOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';
import { askApi } from '../installation.ts';
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
} from './check.ts';
import {
  gigabytes,
  judgeMount,
  judgeSpace,
  judgeTrouble,
  kindOf,
  mountOf,
  spaceOf,
  tryWriting,
  type Floor,
} from './folder.ts';

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

function rootsOf({ root, projects, copy }: Config['storage']): (readonly [name: string, root: string])[] {
  return [
    ['storage', root],
    ...Object.entries(projects).map(([name, project]) => [`storage ${name}`, project.root] as const),
    ...(copy === undefined ? [] : [['storage copy', copy.root] as const]),
  ];
}

async function lookAtRoot(root: string, floor: Floor | undefined): Promise<Finding[]> {
  const kind = await kindOf(root);
  if (kind === 'missing')
    return [
      failed(
        `${root} does not exist; it is never made, so that nothing lands under a mount point`,
        'Mount project storage, or make the folder.',
        'STORE_ROOT_MISSING',
      ),
    ];
  if (kind === 'file') return [failed(`${root} is no folder`, 'Correct storage.root.')];
  const written = await attempt(root);
  const mount = await mountOf(root);
  const space = await spaceOf(root).catch(() => undefined);
  const findings = [
    ...(typeof written === 'number' ? [] : [written]),
    ...judgeMount(root, mount),
    ...(space === undefined ? [] : judgeSpace(root, space, floor)),
    ...asRoot(),
  ];
  if (findings.some(({ state }) => state === 'failed') || typeof written !== 'number') return findings;
  const where = mount === undefined ? '' : `, on ${mount.at} (${mount.type}, ${mount.source})`;
  const room = space === undefined ? '' : `, ${gigabytes(space.free)} free`;
  return [...findings, ok(`${root}${where}: written and synchronised in ${written} ms as ${user()}${room}`)];
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

async function attempt(folder: string): Promise<number | Finding> {
  try {
    return await tryWriting(folder);
  } catch (error) {
    return judgeTrouble(folder, codeOf(error) ?? messageOf(error), user());
  }
}

/** A warning if root tried: root may write where the service may not. */
const asRoot = (): Finding[] =>
  userInfo().uid === 0
    ? [
        warning(
          'this was tried as root, who may write where the streamer may not',
          'Run it as the user that the streamer runs as; in containers: docker compose exec streamer scanflow doctor.',
        ),
      ]
    : [];

const user = (): string => `user ${userInfo().uid}`;

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

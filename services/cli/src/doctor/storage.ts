/** Project storage and the data folder: there, writable, on the right disk, with room. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import { codeOf, messageOf } from '@scanflow/failure';
import { kindOf, mountOf, spaceOf, tryWriting } from './folder.ts';
import { failed, ok, warning, type Check, type Finding } from './finding.ts';
import { gigabytes, judgeMount, judgeSpace, judgeTrouble, type Floor } from './judge-folder.ts';
import { lookAtIdentity } from './root.ts';
import { sees, SERVICES, type Place, type ServiceName } from './place.ts';

/** What each service writes below the data folder. */
const WRITES: Readonly<Record<ServiceName, readonly string[]>> = {
  cal2wl: ['worklist', 'bookings', 'cal2wl'],
  worklist: ['performed'],
  receiver: ['receiver'],
  streamer: ['streamer'],
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
  const folders = SERVICES.filter((service) => sees(place, service)).flatMap((service) => WRITES[service]);
  const findings: Finding[] = [];
  for (const name of folders) {
    const path = join(data, name);
    if ((await kindOf(path)) === 'missing') {
      findings.push(warning(`${path} does not exist yet`, 'Start the service that makes it.'));
      continue;
    }
    const written = await attempt(path);
    if (typeof written !== 'number') findings.push(written);
  }
  const space = await spaceOf(data).catch(() => undefined);
  if (space !== undefined) findings.push(...judgeSpace(data, space));
  return findings.length > 0 ? findings : [ok(`${data}: ${folders.join(', ')} can be written`)];
}

async function attempt(folder: string): Promise<number | Finding> {
  try {
    return await tryWriting(folder);
  } catch (error) {
    return judgeTrouble(folder, codeOf(error) ?? messageOf(error), user());
  }
}

/** Root may write where the service may not. */
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

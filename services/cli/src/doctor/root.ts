/** Whether a root is the one that the streamer's ledger knows: asked of the streamer, else read from the root's own file. */
import { join } from 'node:path';
import { readBounded } from '@scanflow/runtime';
import { failed, type Finding } from './finding.ts';
import { askApi } from './pages.ts';
import type { Place } from './place.ts';

const LIMIT = 65_536;

export async function lookAtIdentity(place: Place, root: string, signal: AbortSignal): Promise<Finding[]> {
  const page = await askApi(place.config, 'streamer', '/api/storage', signal);
  const roots = 'body' in page ? page.body['roots'] : undefined;
  if (Array.isArray(roots)) {
    const row = (roots as readonly Record<string, unknown>[]).find((one) => one['root'] === root);
    const { code, message } = row ?? {};
    return typeof code === 'string' && typeof message === 'string' ? refused(message, code) : [];
  }
  // the streamer does not answer, which shows elsewhere
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

/** Undefined where there is none, or none that can be read. */
async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value: unknown = JSON.parse((await readBounded(path, LIMIT)).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

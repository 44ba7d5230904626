/** Rules between storage's folders and the other sections: what must be apart, is. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';
import { scheduleRules } from './sending-rules.ts';

/** Names of legs that are no destinations. */
const LEGS = ['storage', 'copy'];

export function storageRules(
  { root, projects, copy, fileMode, folderMode, verify }: Config['storage'],
  data: string | undefined,
): Finding[] {
  const roots: (readonly [path: readonly string[], root: string])[] = [
    [['storage', 'root'], root],
    ...Object.entries(projects).map(
      ([name, project]) => [['storage', 'projects', name, 'root'], project.root] as const,
    ),
  ];
  const findings: Finding[] = [...roots, ...(copy ? [[COPY_ROOT, copy.root] as const] : [])]
    .filter(([, folder]) => data !== undefined && plain(folder) === plain(data))
    .map(([path]) => ({ path, message: 'project storage needs a folder of its own, other than data' }));
  if (copy !== undefined && roots.some(([, other]) => overlap(copy.root, other)))
    findings.push({
      path: COPY_ROOT,
      message: 'the copy needs a folder of its own, neither in project storage nor around it',
    });
  if (fileMode !== undefined && !ownerHas(fileMode, 0o600))
    findings.push({ path: ['storage', 'fileMode'], message: 'the owner must read and write, like 0640' });
  if (folderMode !== undefined && !ownerHas(folderMode, 0o700))
    findings.push({
      path: ['storage', 'folderMode'],
      message: 'the owner must read, write and enter, like 2750',
    });
  return [...findings, ...scheduleRules(['storage', 'verify', 'schedule'], verify.schedule ?? [])];
}

export const legRules = (destinations: Config['destinations']): Finding[] =>
  Object.keys(destinations)
    .filter((name) => LEGS.includes(name))
    .map((name) => ({
      path: ['destinations', name],
      atKey: true,
      message: `the name ${name} is taken by Scanflow itself; choose another`,
    }));

const COPY_ROOT = ['storage', 'copy', 'root'];

const ownerHas = (mode: string, bits: number): boolean => (Number.parseInt(mode, 8) & bits) === bits;

/** Without what changes nothing: `/a//b/./` is `/a/b`. */
const plain = (folder: string): string =>
  `/${folder
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;

const overlap = (a: string, b: string): boolean =>
  isWithin(plain(a), plain(b)) || isWithin(plain(b), plain(a));

const isWithin = (inner: string, outer: string): boolean =>
  inner === outer || outer === '/' || inner.startsWith(`${outer}/`);

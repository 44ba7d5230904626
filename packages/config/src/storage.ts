/** `storage`: where images end up and how they are verified there; with the rules between its folders. */
import { z } from 'zod';
import { EXTENSIONS, LAYOUTS } from './layouts.ts';
import { DAY_MS } from '@scanflow/runtime/time';
import { folder, interval } from './values.ts';
import { rates, windows, scheduleRules } from './sending.ts';
import type { ConfigWarning, Finding } from './issue.ts';

const verify = z
  .strictObject({
    every: z
      .literal('never')
      .or(interval(1_000, 3650 * DAY_MS, 'from 1s to 3650d, or never'))
      .prefault('30d')
      .describe(
        'How often the streamer reads each stored file again and compares it with its SHA-256: the images, `series.tar` and the copy. `never`: only when a person runs `scanflow verify`.',
      ),
    rate: rates
      .prefault('50MB/s')
      .describe(
        'Most that one streamer reads for it: `50MB/s`, `600/min` (files), or both. While images arrive it reads a tenth of that.',
      ),
    schedule: windows
      .optional()
      .describe(
        "Hours in which it reads by itself, in the facility's time, like the `schedule` of a destination. If absent, always. A person's request does not wait for them.",
      ),
    until: interval(1_000, 3650 * DAY_MS, 'of at most 3650d')
      .optional()
      .describe(
        'By itself, the streamer does not verify a series that was stored longer ago, for facilities where people move files after some time. If absent, it verifies all.',
      ),
  })
  .prefault({})
  .describe('Verification of what is stored, by reading it again. It changes nothing.');

const names = Object.keys(LAYOUTS)
  .map((name) => `\`${name}\``)
  .join(', ');

const layout = z.string().min(1);

const octal = (example: string) =>
  z
    .string({
      error: `expected octal digits in quotes, like '${example}': without quotes YAML reads a number`,
    })
    .regex(/^[0-7]{3,4}$/, `expected three or four octal digits, like '${example}'`)
    .meta({ title: 'mode' });

const id = z
  .int({ error: 'expected a number: names of the host are not known in a container; `id NAME` tells it' })
  .min(0)
  .max(4_294_967_294);

const SPACE = /^(?<amount>\d{1,6}(?:\.\d{1,3})?)(?<unit>%|[kMGTkK]i?B)$/;
const UNITS: Readonly<Record<string, number>> = {
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** `20GB`, `500MiB`, `5%`. */
const space = z
  .string({ error: ({ input }) => `expected a size like 20GB or 5%, got ${JSON.stringify(input)}` })
  .meta({ title: 'size or percentage' })
  .transform((text, context) => {
    const { amount, unit = '' } = SPACE.exec(text)?.groups ?? {};
    const bytes = Number(amount) * (UNITS[unit] ?? Number.NaN);
    if (unit === '%' && Number(amount) <= 90) return { fraction: Number(amount) / 100 };
    if (unit !== '%' && bytes >= 0) return { bytes };
    context.addIssue({
      code: 'custom',
      message: `expected a size like 20GB or a percentage up to 90%, got ${JSON.stringify(text)}`,
    });
    return z.NEVER;
  });

const project = z.strictObject({
  root: folder.describe('Root of these projects. Scanflow never makes it.'),
  layout: layout.optional().describe('Instead of `storage.layout`.'),
});

const copy = z
  .strictObject({
    root: folder.describe('Root of the copy: a folder outside all others, best on other disks.'),
    layout: layout
      .default('study-series')
      .describe('As `storage.layout`, but without labels: series without labels are copied, too.'),
  })
  .describe(
    'A copy of everything, of quarantined series too, made from Orthanc and verified by itself: it has a leg of its own, `copy`, and neither it nor project storage waits for the other.',
  );

export const storage = z.strictObject({
  root: folder.describe(
    'Root of project storage. Scanflow never makes it: if it is missing, storage is not mounted.',
  ),
  layout: layout
    .default('dccn')
    .describe(
      `Path of an image below the root: ${names} (see [storage](storage.md)), or a template of \`{project}\`, \`{subject}\`, \`{session}\` and keywords of DICOM attributes in braces; \`:3\` pads numbers with zeros, \`{subject:bids}\` writes a label as BIDS does. Needs \`{SOPInstanceUID}\`.`,
    ),
  extension: z
    .enum(EXTENSIONS)
    .optional()
    .describe('Extension of the images, with a layout that has a name; `dcm` if absent.'),
  unmatched: layout
    .default('quarantine')
    .describe('`quarantine`, or the layout (without labels) for images whose project is not known.'),
  projects: z
    .record(z.string().regex(/^[^/{}]{1,64}$/, 'expected a project, or several with *, like 3010*'), project)
    .default({})
    .describe(
      'Projects with a root of their own, by their label: `3010000.01`, or several at once with `*`. The longest that fits counts.',
    ),
  fileMode: octal('0640')
    .optional()
    .describe("Permissions of files, like `'0640'`; if absent, the service's umask decides."),
  folderMode: octal('2750')
    .optional()
    .describe("Permissions of folders that Scanflow makes; `'2750'` hands their group down."),
  owner: id
    .optional()
    .describe('User id of stored files. Needs a service that may give files away (root, CAP_CHOWN).'),
  group: id
    .optional()
    .describe("Group id of stored files: one of the service's own groups, or as for `owner`."),
  collisions: z
    .enum(['beside', 'fail'])
    .default('beside')
    .describe(
      'If another series or image has the name already: `beside` gives it a name of its own, `fail` does not store it and shows it as failed (`STORE_COLLISION`). Nothing is ever overwritten.',
    ),
  freeSpace: space
    .optional()
    .describe(
      'Space that stays free, `20GB` or `5%`: storing waits while less would be left, and goes on by itself.',
    ),
  tar: z
    .boolean()
    .default(false)
    .describe(
      'Also writes each series as `series.tar` into its folder: the same images give the same bytes.',
    ),
  copy: copy.optional(),
  verify,
});

/** Names of legs that are no destinations. */
const LEGS = ['storage', 'copy'];

export function storageRules(
  { root, projects, copy, fileMode, folderMode, verify }: z.output<typeof storage>,
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

/** Roots of projects within another root: both could choose one folder. Facilities may have had them. */
export function nestedRoots({ root, projects }: z.output<typeof storage>): ConfigWarning[] {
  const roots = [root, ...Object.values(projects).map((project) => project.root)].map(plain);
  return Object.entries(projects).flatMap(([name, project]) => {
    const own = plain(project.root);
    const outer = roots.find((other) => other !== own && isWithin(own, other));
    return outer === undefined
      ? []
      : [
          {
            path: `storage.projects.${name}.root`,
            message: `${own} lies within the root ${outer}, so series of other projects can get folders in it; choose a folder beside ${outer}`,
          },
        ];
  });
}

export const legRules = (destinations: Readonly<Record<string, unknown>>): Finding[] =>
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

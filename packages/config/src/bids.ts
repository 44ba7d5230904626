/** Converting stored sessions to BIDS: the section `bids`, its rules, and what counts for one project. */
import { z } from 'zod';
import { DAY_MS } from '@scanflow/runtime/time';
import { file, interval, port } from './values.ts';
import type { Finding } from './issue.ts';

/** The hook of the streamer that hands sessions to the bids service. */
export const BIDS = 'bids';

/** Beyond this, a run of a hook waits longer than a queue explains: for doctor and Health, and the alerts likewise. */
export const HOOK_WAITS_HOURS = { bids: 12, other: 24 } as const;

const root = z
  .string()
  .regex(
    /^(?!\/)(?!.*(?:^|\/)\.{1,2}(?:\/|$))(?:[^{}\0]|\{project\})+$/,
    'expected a folder below the root of storage, like {project}/bids',
  )
  .refine((text) => text.includes('{project}'), 'needs {project}: each project has a dataset of its own');

const project = z.strictObject({
  root: root.optional().describe('Instead of `bids.root`.'),
  rules: file.optional().describe('Instead of `bids.rules`.'),
});

const label = z.string().regex(/^[^/{}*]{1,64}$/, 'expected the label of a project, like 3010000.01');

type Project = z.output<typeof project>;

/** Listed projects have no settings of their own. */
const unset = (labels: readonly string[]): Record<string, Project> =>
  Object.fromEntries(labels.map((one): [string, Project] => [one, {}]));

const command = (what: string) => z.array(z.string().min(1).max(4096)).min(1).describe(what);

export const bids = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected an address like http://bids:9109' })
    .optional()
    .describe(
      'Address of the bids service. If absent, `http://bids:PORT` in containers, and this machine otherwise.',
    ),
  port: port.default(9109).describe('Port of the bids service; it listens on `http.bind`.'),
  root: root
    .default('{project}/bids')
    .describe('Folder of the dataset, below the root of storage. Needs `{project}`.'),
  projects: z
    .union([z.array(label).min(1), z.record(label, project)], {
      error: 'expected a list of projects like [3010000.01], or settings under the label of each',
    })
    .optional()
    .transform((given) => (Array.isArray(given) ? unset(given) : given))
    .describe('Which projects: a list, or `root` and `rules` under the label of each. If absent, all.'),
  rules: file
    .optional()
    .describe('File with rules for series that ReproIn names and the shipped rules do not place.'),
  repeats: z
    .enum(['last', 'run'])
    .default('last')
    .describe('Several complete series of one name: `last` keeps the last, `run` numbers all of them.'),
  fieldmaps: z
    .array(z.enum(['IntendedFor', 'B0Field']), { error: 'expected a list of IntendedFor and B0Field' })
    .default(['IntendedFor', 'B0Field'])
    .describe('How a field map names the images that it is for.'),
  parallel: z.int().min(1).max(16).default(1).describe('How many sessions are converted at the same time.'),
  timeout: interval(1_000, 7 * DAY_MS, 'from 1s to 7d')
    .prefault('6h')
    .describe('Longest time for one session, waiting in line included.'),
  shiftDates: z
    .int()
    .min(-100_000)
    .max(100_000)
    .optional()
    .describe('Days that are added to the acquisition times in `scans.tsv`. If absent, they stay.'),
  scrub: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/, 'expected a field of sidecars, like PatientName'))
    .optional()
    .describe('Fields that are left out of every sidecar, instead of the usual list.'),
  dcm2niix: command('The converter and its first arguments, without a shell.').default(['dcm2niix']),
  validator: command(
    'A validator that is run instead of the one of the container, without a shell.',
  ).optional(),
});

export type BidsConfig = z.output<typeof bids>;

/** Rules between `bids` and `hooks`. Pure. */
export const bidsRules = (
  section: BidsConfig | undefined,
  hooks: Readonly<Record<string, unknown>> | undefined,
): Finding[] =>
  section === undefined || hooks === undefined || !Object.hasOwn(hooks, BIDS)
    ? []
    : [
        {
          path: ['hooks', BIDS],
          atKey: true,
          message: 'the section bids has the hook of this name; give yours another one, or leave bids out',
        },
      ];

/** Where the dataset of a project lies, relative to its root of storage, and its rules; undefined where it has none. Pure. */
export function bidsOf(
  { root, rules, projects }: Pick<BidsConfig, 'root' | 'rules' | 'projects'>,
  label: string,
): { readonly root: string; readonly rules: string | undefined } | undefined {
  if (projects !== undefined && !Object.hasOwn(projects, label)) return undefined;
  const own = projects?.[label];
  return { root: (own?.root ?? root).replaceAll('{project}', label), rules: own?.rules ?? rules };
}

/** Every file of rules, with the path of the key that names it. */
export const ruleFiles = ({
  rules,
  projects = {},
}: BidsConfig): (readonly [path: string, file: string])[] => [
  ...(rules === undefined ? [] : [['bids.rules', rules] as const]),
  ...Object.entries(projects).flatMap(([name, own]) =>
    own.rules === undefined ? [] : [[`bids.projects.${name}.rules`, own.rules] as const],
  ),
];

/** The address of the bids service. `inContainer`: services have their names there. */
export const bidsUrl = ({ url, port: own }: BidsConfig, inContainer: boolean): string =>
  (url ?? `http://${inContainer ? BIDS : '127.0.0.1'}:${own}`).replace(/\/+$/, '');

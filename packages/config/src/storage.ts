/** `storage`: where images end up. */
import { z } from 'zod';
import { EXTENSIONS, LAYOUTS } from './layouts.ts';
import { folder } from './values.ts';
import { verify } from './verify.ts';

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

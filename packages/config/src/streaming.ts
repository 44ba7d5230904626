/** `arrivals`, `tag` and `ledger`: what the streamer takes in, how it marks it, where it keeps what it knows; with the rules of tag and ledger. */
import { z } from 'zod';
import { aeTitle, interval, pattern, plainText, privateGroup, HOUR_MS, DAY_MS, file } from './values.ts';
import type { Finding } from './issue.ts';

const doubt = (what: string) =>
  z
    .enum(['show', 'quarantine'])
    .default('show')
    .describe(
      `${what}: \`show\` it in \`series.json\`, the API and \`scanflow series show\`, or \`quarantine\` the series.`,
    );

export const arrivals = z.strictObject({
  from: z
    .union([z.enum(['scanners', 'any']), z.array(aeTitle).min(1)], {
      error: 'expected scanners, any, or a list of AE titles like [PRISMA, SKYRA]',
    })
    .optional()
    .describe(
      'Whose images go to projects: those of the AE titles of `scanners` (`aet` and `sends`), of `any`, or of a list of AE titles. Images of others are quarantined. If absent, of any, with a warning in `scanflow doctor`.',
    ),
  quiet: interval(1, 7 * DAY_MS, 'of at most 7d')
    .prefault('60s')
    .describe(
      'A series is complete when nothing came for this long. Choose more than the longest pause of your scanners.',
    ),
  poll: interval(10, HOUR_MS, 'from 10ms to 1h')
    .prefault('2s')
    .describe('How often the streamer polls Orthanc for changes: from 10ms to 1h.'),
  patterns: z
    .record(z.string(), pattern())
    .prefault({
      PatientID: String.raw`^(?<project>\d{7}\.\d{2})_(?<subject>sub-?\w+)$`,
      StudyID: String.raw`^(?<session>ses-?\w[\w.+-]*)$`,
    })
    .describe(
      'Attribute keyword (such as `PatientID`) to pattern: project, subject and session of images that have no booking record. All must match; `{}` turns it off.',
    ),
  join: z
    .strictObject({
      within: interval(1, HOUR_MS, 'of at most 1h')
        .prefault('60s')
        .describe('Its parts are no further apart in time than this.'),
    })
    .optional()
    .describe(
      'Takes a series of the scanner that comes under many Study or Series UIDs for one: one folder, one delivery, one run of each hook. Accession number, patient, day, series number, description, scanner, frame of reference and kind of image have to be the same. `{}` turns it on; off if absent. `series.json` lists what was joined.',
    ),
  doubts: z
    .strictObject({
      study: doubt('The Study Instance UID is not that of the booking, and of no other'),
      spelling: doubt('Patient ID or name is another spelling of what the booking says'),
      time: doubt('The study was not acquired in the slot of the booking'),
      scanner: doubt('The images came from another scanner than the one that was booked'),
      labels: doubt('Another study, of another day, has images under the same labels'),
    })
    .prefault({})
    .describe('What becomes of a series that its booking fits, but for a weak sign against it.'),
});

const element = z
  .string({ error: "expected two hexadecimal digits in quotes, like '10'" })
  .regex(/^[0-9a-fA-F]{2}$/, "expected two hexadecimal digits, like '10'")
  .meta({ title: 'element' });

/** `true`: the usual element; off: undefined. */
const another = (usual: string) =>
  z
    .union([z.boolean(), element], {
      error: `expected true, false or two hexadecimal digits in quotes, like '${usual}'`,
    })
    .default(false)
    .transform((value) => (value === true ? usual : value === false ? undefined : value));

export const tag = z.strictObject({
  apply: z
    .enum(['stored+forwarded', 'forwarded', 'none'])
    .default('stored+forwarded')
    .describe(
      'What carries the tag. `stored+forwarded`: stored and sent images. `forwarded`: sent images only; project storage holds the files as they came. `none`: nothing.',
    ),
  group: privateGroup.default('0021').describe('Odd group of the private tag, four hexadecimal digits.'),
  creator: plainText(64).default('SCANFLOW').describe('Private creator: who owns the block of tags.'),
  element: element.default('10').describe('Element within the block, two hexadecimal digits.'),
  value: plainText(64).default('DICOM send').describe('Value of the tag (LO).'),
  accession: another('11').describe(
    'Also adds the accession number (SH), the booking’s if there is one: `true` for element 11 of the block, or an element. It leads to a booking, and so to a person, even after an anonymiser has emptied the usual attributes.',
  ),
  time: another('12').describe(
    'Also adds when the streamer first pulled the series (DT, UTC): `true` for element 12 of the block, or an element. All images of a series, late ones too, have the same.',
  ),
});

/** `tag` where nothing is configured. */
export const defaultTag = (): z.output<typeof tag> => tag.parse({});

/** Each element of the block holds one thing. */
export function tagRules(section: z.output<typeof tag>): Finding[] {
  const taken = new Map<number, string>();
  return (['element', 'accession', 'time'] as const).flatMap((key) => {
    const digits = section[key];
    if (digits === undefined) return [];
    const number = Number.parseInt(digits, 16);
    const other = taken.get(number);
    taken.set(number, key);
    if (other === undefined) return [];
    const message = `element ${digits} holds the tag's ${other === 'element' ? 'value' : other} already; choose another`;
    return [{ path: ['tag', key], message }];
  });
}

export const ledger = z.strictObject({
  url: z
    .url({
      protocol: /^postgres(ql)?$/,
      error: 'expected an address like postgresql://scanflow@postgres:5432/scanflow',
    })
    .optional()
    .describe(
      'Database of a PostgreSQL server, for several streamers that share the work. Absent: a SQLite file in `data`, for one streamer.',
    ),
  passwordFile: file.optional().describe('File that holds the password of the user in `url`.'),
  tls: z
    .strictObject({
      ca: file.describe("File with the certificate of the authority that signed the server's (PEM)."),
    })
    .optional()
    .describe(
      'The connection is encrypted, and the server has to prove its name, or nothing is sent to it; without `tls`, the connection is in the clear.',
    ),
  lease: interval(2_000, 3_600_000, 'from 2s to 1h')
    .prefault('1m')
    .describe(
      'Another streamer takes over the work of one that gives no sign of life for this long: from 2s to 1h. The clocks of their machines must agree much better than that.',
    ),
});

/** Rules between the keys of `ledger`. Pure. */
export function ledgerRules({ url, passwordFile, tls }: z.output<typeof ledger>): Finding[] {
  if (url === undefined)
    return Object.entries({ passwordFile, tls })
      .filter(([, value]) => value !== undefined)
      .map(([key]) => ({
        path: ['ledger', key],
        message: 'is for a PostgreSQL server, and there is no url',
      }));
  const { username, password, pathname, search } = new URL(url);
  const path = ['ledger', 'url'];
  return [
    ...(password === '' ? [] : [{ path, message: 'has a password in it; put it into passwordFile' }]),
    ...(username === ''
      ? [{ path, message: 'names no user; expected postgresql://USER@HOST/DATABASE' }]
      : []),
    ...(/^\/[^/]+$/.test(pathname)
      ? []
      : [{ path, message: 'names no database; expected postgresql://USER@HOST/DATABASE' }]),
    ...(search === '' ? [] : [{ path, message: 'takes no parameters after ?; see tls' }]),
  ];
}

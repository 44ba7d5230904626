/**
 * What the streamer does with images: `arrivals` that it takes in, the `tag` that marks them, the `ledger` of what it knows, and
 * `hooks`, `sessions` and `cleanup` once they are where they belong; with the rules of each.
 */
import { z } from 'zod';
import { HOUR_MS, DAY_MS } from '@scanflow/runtime/time';
import { aeTitle, interval, pattern, plainText, privateGroup, file, modality } from './values.ts';
import { type Finding, didYouMean } from './issue.ts';

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

/** The section `tag` of a configuration without one: every value is its default. */
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

/** Servers of one address, beyond which it is a mistake. */
const MOST_SERVERS = 8;

/**
 * One address for each server of an address, as libpq writes several.
 *
 * @example
 * ```ts
 * import { serversIn } from '@scanflow/config';
 *
 * serversIn('postgresql://u@a:5432,b/d'); // → ['postgresql://u@a:5432/d', 'postgresql://u@b/d']
 * ```
 */
export function serversIn(url: string): string[] {
  const [, before = '', hosts = '', after = ''] =
    /^([^:]+:\/\/(?:[^@/?#]*@)?)([^/?#]*)(.*)$/s.exec(url) ?? [];
  return hosts.split(',').map((host) => `${before}${host}${after}`);
}

const isDatabase = (url: string): boolean => {
  const servers = serversIn(url);
  if (servers.length > MOST_SERVERS) return false;
  return servers.every(
    (one) => /^postgres(ql)?:$/.test(URL.parse(one)?.protocol ?? '') && URL.parse(one)?.hostname !== '',
  );
};

const databaseUrl = z.string().refine(isDatabase, {
  error: 'expected an address like postgresql://scanflow@postgres:5432/scanflow',
});

export const ledger = z.strictObject({
  url: databaseUrl
    .optional()
    .describe(
      'Database of a PostgreSQL server, for several streamers that share the work. Servers that stand in for each other: `postgresql://USER@HOST1:5432,HOST2:5432/DATABASE`; the one that takes writes is used. Absent: a SQLite file in `data`, for one streamer.',
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
  cal2wl: z
    .strictObject({
      user: plainText(63).describe('Name of the user.'),
      passwordFile: file.optional().describe('File that holds its password.'),
    })
    .optional()
    .describe(
      'The user by whom cal2wl takes its lease in the same database, with a schema of its own there: of several cal2wl, one publishes ([scale](scale.md#two-cal2wl)). Absent: the user of `url`.',
    ),
  lease: interval(2_000, 3_600_000, 'from 2s to 1h')
    .prefault('1m')
    .describe(
      'Another streamer takes over the work of one that gives no sign of life for this long: from 2s to 1h. The clocks of their machines must agree much better than that. The leases of cal2wl and the dashboard last as long.',
    ),
});

/** A PostgreSQL server for another service than the streamer. */
export const database = ledger.pick({ passwordFile: true, tls: true }).extend({ url: databaseUrl });

/** Rules between the keys of `ledger`. Pure. */
export function ledgerRules({ url, passwordFile, tls, cal2wl }: z.output<typeof ledger>): Finding[] {
  if (url !== undefined) return databaseRules(['ledger'], url);
  return Object.entries({ passwordFile, tls, cal2wl })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => ({
      path: ['ledger', key],
      message: 'is for a PostgreSQL server, and there is no url',
    }));
}

/** Rules of the address of a PostgreSQL server. `section`: what names it. Pure. */
export function databaseRules(section: readonly string[], url: string): Finding[] {
  const { username, password, pathname, search } = new URL(serversIn(url)[0] ?? url);
  const path = [...section, 'url'];
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

/** What of a series or session may stand in braces in a command's arguments. */
const HOOK_FIELDS: readonly string[] = [
  'folder',
  'event',
  'increment',
  'project',
  'subject',
  'session',
  'accessionNumber',
  'studyInstanceUid',
  'seriesInstanceUid',
  'seriesNumber',
  'modality',
];

export const hook = z.strictObject({
  on: z
    .array(z.enum(['stored', 'forwarded', 'complete', 'failed']))
    .min(1)
    .describe(
      'Events: a series is `stored`, is `forwarded` to a destination, or `failed`; a session (all series of one study) is `complete`.',
    ),
  command: z
    .array(z.string().max(4096))
    .min(1)
    .optional()
    .describe(
      'Program and arguments, without a shell; `{folder}`, `{subject}` and the like are filled in. The record comes as JSON on its standard input.',
    ),
  url: z
    .url({ protocol: /^https?$/, error: 'expected an address like https://lab.example.org/scanflow' })
    .optional()
    .describe('Address that gets the record by POST as JSON, instead of `command`.'),
  secretFile: file.optional().describe('File with the key that signs each request to `url` (HMAC-SHA256).'),
  environment: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'expected a name like OMP_NUM_THREADS'),
      z.string(),
    )
    .default({})
    .describe('Environment of the command, beside PATH, LANG and `SCANFLOW_…`; nothing else is passed on.'),
  timeout: interval(100, 7 * DAY_MS, 'from 100ms to 7d')
    .optional()
    .describe('Longest time for one run. If absent, 30m for a command and 30s for an address.'),
  retries: z
    .int()
    .min(0)
    .max(1000)
    .default(5)
    .describe('How many times the streamer retries it, after 10s at first and twice as long each time.'),
  when: z
    .strictObject({ modality: z.array(modality).min(1).optional().describe('Only these modalities.') })
    .optional()
    .describe('Which series it runs for; all if absent.'),
});

export const sessions = z.strictObject({
  quiet: interval(1, 30 * DAY_MS, 'of at most 30d')
    .prefault('30m')
    .describe(
      'A session is complete, and has its report, when nothing came for this long and all of its series are done.',
    ),
});

export const cleanup = z.strictObject({
  after: interval(1, 3650 * DAY_MS, 'of at most 3650d')
    .optional()
    .describe(
      'Deletes a series from Orthanc this long after everything was stored, forwarded and verified. If absent, it deletes nothing.',
    ),
});

type Hook = z.output<typeof hook>;

export const hookRules = (hooks: Readonly<Record<string, Hook>>): Finding[] =>
  Object.entries(hooks).flatMap(([name, hook]) => rulesOf(['hooks', name], hook));

function rulesOf(
  path: readonly string[],
  { command, url, secretFile, environment, when, on }: Hook,
): Finding[] {
  const findings: Finding[] = [];
  if ((command === undefined) === (url === undefined))
    findings.push({ path, message: 'expected exactly one of command and url' });
  if (secretFile !== undefined && url === undefined)
    findings.push({
      path: [...path, 'secretFile'],
      message: 'signs requests to a url, and there is none',
    });
  if (url !== undefined && Object.keys(environment).length > 0)
    findings.push({ path: [...path, 'environment'], message: 'is for a command, and there is none' });
  if (when?.modality !== undefined && on.every((event) => event === 'complete'))
    findings.push({
      path: [...path, 'when'],
      message: 'a session has no modality of its own; leave when out',
    });
  return [...findings, ...commandRules([...path, 'command'], command ?? [])];
}

function commandRules(path: readonly string[], command: readonly string[]): Finding[] {
  const [program] = command;
  const relative: Finding[] =
    program === undefined || /^\/[^{}\0]*$/.test(program)
      ? []
      : [
          {
            path: [...path, '0'],
            message: 'expected the absolute path of a program, like /usr/local/bin/convert',
          },
        ];
  return [
    ...relative,
    ...command.slice(1).flatMap((argument, index) => {
      const unknown = [...argument.matchAll(/\{(?<name>\w+)\}/g)]
        .map(({ groups }) => groups?.['name'] ?? '')
        .filter((name) => !HOOK_FIELDS.includes(name));
      return unknown.map((name) => ({ path: [...path, String(index + 1)], message: noField(name) }));
    }),
  ];
}

const noField = (name: string): string =>
  `there is no {${name}} (there: ${HOOK_FIELDS.join(', ')})${didYouMean(name, HOOK_FIELDS, (close) => `{${close}}`)}`;

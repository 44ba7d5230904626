/** `hooks`, `sessions` and `cleanup`: what happens once images are where they belong; with the rules of a hook. */
import { z } from 'zod';
import { interval, modality, DAY_MS, file } from './values.ts';
import { didYouMean, type Finding } from './issue.ts';

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

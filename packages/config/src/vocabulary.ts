/** How events are understood, for all calendars or for one of them; with the rules between these keys. */
import { LABELS, LANGUAGES } from '@scanflow/booking';
import { z } from 'zod';
import { duration, file, host, pattern } from './values.ts';
import type { Finding } from './issue.ts';

const word = z.string().min(1).max(64);
const label = z
  .string({ error: ({ input }) => `expected text, got ${JSON.stringify(input)}; put it in quotes` })
  .min(1)
  .max(64);

/** rules.ts requires the groups, since it knows which labels have a default. */
const patterns = z.array(pattern()).min(1);
const keys = z.strictObject({
  project: z.array(word).min(1).optional().describe('Words for the project, such as `[Project, Grant]`.'),
  subject: z.array(word).min(1).optional().describe('Words for the subject.'),
  session: z.array(word).min(1).optional().describe('Words for the session.'),
});
const languages = z.array(z.enum(LANGUAGES));
const defaults = z.strictObject({
  project: label.optional().describe('The project of an event that names none.'),
  session: label.optional().describe("The session of an event that names none, such as `'1'`."),
});
const rule = z.strictObject({
  case: z.enum(['lower', 'upper']).optional().describe('All letters in lower or upper case.'),
  prefix: word.optional().describe('Text put in front if it is missing, such as `sub-`.'),
  pad: z
    .int()
    .min(1)
    .max(16)
    .optional()
    .describe('Fills the number at the end up with zeros to this many digits.'),
});
const normalise = z.strictObject({
  project: rule.optional(),
  subject: rule.optional(),
  session: rule.optional(),
});
const labels = z.strictObject({
  characters: z
    .enum(['ascii', 'letters'])
    .default('ascii')
    .describe(
      '`ascii`: A to Z, 0 to 9 and `. _ - + ( )`; `letters`: also letters of other alphabets, each label in one of them. Digits are 0 to 9.',
    ),
  project: pattern().optional().describe('Pattern that a whole project matches.'),
  subject: pattern().optional().describe('Pattern that a whole subject matches.'),
  session: pattern().optional().describe('Pattern that a whole session matches.'),
});
const projects = z.strictObject({
  file: file
    .optional()
    .describe(
      'Text file with one project per line (`#` begins a comment). Or a JSON array that also says who may book a project, on which scanners, from when and until when: docs/booking-reference.md#who-may-book-a-project.',
    ),
  url: z
    .url({ protocol: /^https?$/, error: 'expected an address like https://grants.example.org/projects.txt' })
    .optional()
    .describe('http or https address that gives the same.'),
  redirects: z.array(host).default([]).describe('Hosts that the server may redirect to, as for calendars.'),
});
const tentative = z.enum(['skip', 'take', 'reject']);
const hidden = z.enum(['take', 'skip', 'reject']);
const busy = z.enum(['reject', 'skip']);

const PATTERNS =
  'Patterns over the title of an event (SUMMARY); the first that matches gives project, subject and session. Each needs the named groups `(?<project>…)`, `(?<subject>…)` and `(?<session>…)`, except those that `defaults` names.';
const KEYS = 'Words before the colon of lines in the description, in any case.';
const WORDS =
  'Languages whose words count in lines, too: `nl` adds `Proefpersoon`, `Deelnemer`, `Sessie` and others to those of `keys`. docs/booking-reference.md#words-of-other-languages lists them.';
const DEFAULTS = 'Labels that may be left out, and what they are then.';
const NORMALISE =
  'How labels are rewritten; nothing is rewritten where nothing stands here. Each of `project`, `subject` and `session` has `case`, `prefix` and `pad`.';
const PROJECTS =
  'The only projects that bookings may have, from a `file` or a `url`. If absent, any. While a list cannot be read, its last good content counts.';
const LABEL_RULES =
  'What labels may be, wherever they stand: in a title, in a line of the description, in a property, or in an image. If absent, the rules of version 0.1.0 count, with a warning.';
const TENTATIVE = 'What becomes of tentative events.';
const PRIVATE = 'What becomes of private events. If it takes them, Scanflow copies neither title nor person.';
const BUSY = 'What becomes of events that show no details (“Busy”).';
const LENGTH = 'Length of a booking whose event has none.';

/** For all calendars. */
export const vocabulary = {
  patterns: patterns
    .prefault([String.raw`^(?<project>\d{7}\.\d{2})[ _](?<subject>sub-?\w+)[ _](?<session>ses-?\w+)`])
    .describe(PATTERNS),
  keys: keys.prefault({}).describe(KEYS),
  languages: languages.default([]).describe(WORDS),
  defaults: defaults.prefault({}).describe(DEFAULTS),
  normalise: normalise.prefault({}).meta({ title: 'rules' }).describe(NORMALISE),
  labels: labels.optional().describe(LABEL_RULES),
  projects: projects.optional().describe(PROJECTS),
  tentative: tentative.default('skip').describe(TENTATIVE),
  private: hidden.default('take').describe(PRIVATE),
  busy: busy.default('reject').describe(BUSY),
  defaultLength: duration.prefault('1h').describe(LENGTH),
};

const own = (text: string): string => `${text} Replaces the value in \`bookings\`.`;

/** For one calendar, instead of those for all. */
export const ownVocabulary = {
  patterns: patterns.optional().describe('Patterns over its titles, instead of those in `bookings`.'),
  keys: keys.optional().describe(own('Words of its lines.')),
  languages: languages.optional().describe(own('Languages of its lines.')),
  defaults: defaults.optional().describe(own(DEFAULTS)),
  normalise: normalise.optional().meta({ title: 'rules' }).describe(own('How its labels are rewritten.')),
  projects: projects.optional().describe(own('Its projects.')),
  tentative: tentative.optional().describe(own(TENTATIVE)),
  private: hidden.optional().describe(own('What becomes of private events.')),
  busy: busy.optional().describe(own(BUSY)),
  defaultLength: duration.optional().describe(own(LENGTH)),
};

/** `prisma`, or a rule that looks into the event. */
export const scannerChoice = (name: z.ZodString) =>
  z
    .union([
      name,
      z
        .strictObject({
          by: z.enum(['location', 'categories', 'resource']),
          map: z.record(z.string().min(1), name),
          otherwise: z.string().default('reject'),
        })
        .meta({ title: 'rule' }),
    ])
    .describe(
      'The scanner that this calendar books; or a rule such as `{ by: location, map: { Room 1: prisma, Room 2: skyra }, otherwise: reject }`: by the text of `location`, one of the `categories`, or an attendee that is a `resource`; `otherwise` is `reject`, `skip` or a scanner.',
    );

type Words = Pick<z.output<z.ZodObject<typeof ownVocabulary>>, 'patterns' | 'defaults' | 'projects'>;

/** Every label is in each pattern or has a default; a list of projects is in one place. */
export function vocabularyRules(path: readonly string[], words: Words, inherited: Words = {}): Finding[] {
  const defaults = words.defaults ?? inherited.defaults ?? {};
  const given: Readonly<Record<string, unknown>> = defaults;
  const needed = LABELS.filter((name) => given[name] === undefined);
  const findings = (words.patterns ?? []).flatMap(({ names }, index): Finding[] => {
    const missing = needed.filter((name) => !names.includes(name));
    if (missing.length === 0) return [];
    const groups = missing.map((name) => `(?<${name}>…)`).join(', ');
    const message = `the pattern lacks the named ${missing.length === 1 ? 'group' : 'groups'} ${groups}`;
    return [{ path: [...path, 'patterns', String(index)], message }];
  });
  const { projects } = words;
  if (projects !== undefined && (projects.file === undefined) === (projects.url === undefined))
    findings.push({ path: [...path, 'projects'], message: 'expected exactly one of file and url' });
  return findings;
}

/** Every scanner that a calendar's rule names, with the path to it. */
export function scannersNamed(
  path: readonly string[],
  { scanner }: { readonly scanner: z.output<ReturnType<typeof scannerChoice>> },
): [path: readonly string[], name: string][] {
  if (typeof scanner === 'string') return [[[...path, 'scanner'], scanner]];
  const { map, otherwise } = scanner;
  const mapped = Object.entries(map).map(([text, name]): [string[], string] => [
    [...path, 'scanner', 'map', text],
    name,
  ]);
  return otherwise === 'reject' || otherwise === 'skip'
    ? mapped
    : [...mapped, [[...path, 'scanner', 'otherwise'], otherwise]];
}

/** The kinds of values of scanflow.yaml that YAML itself does not know: durations, AE titles, patterns, zones, cron expressions, DICOM attributes, character sets. */
import { isIP } from 'node:net';
import { compilePattern, type Pattern } from '@scanflow/booking';
import { z } from 'zod';
import { messageOf } from '@scanflow/failure';
import { DAY_MS, DURATION, millisecondsOf } from '@scanflow/runtime/time';
import { didYouMean } from './issue.ts';

const LONGEST_MS = 3650 * DAY_MS;
const LONGEST_PATTERN = 500;

/** `90s`, `5m`, `12h`, `7d`, `500ms`: milliseconds, at least 1, at most ten years. */
export const duration = z
  .string({
    error: ({ input }) => `expected a duration like 90s, 5m, 12h or 7d, got ${JSON.stringify(input)}`,
  })
  .meta({ pattern: DURATION.source, title: 'duration' })
  .transform((text, context) => {
    const ms = millisecondsOf(text) ?? 0;
    if (ms >= 1 && ms <= LONGEST_MS) return ms;
    const limit = ms > LONGEST_MS ? ' of at most 3650d' : '';
    context.addIssue({
      code: 'custom',
      message: `expected a duration like 90s, 5m, 12h or 7d${limit}, got ${JSON.stringify(text)}`,
    });
    return z.NEVER;
  });

/** A duration between two limits in milliseconds, for what a timer counts. */
export const interval = (least: number, most: number, words: string) =>
  duration.refine((ms) => ms >= least && ms <= most, { error: `expected a duration ${words}` });

/** AE: 1–16 characters of the default repertoire without backslash and control characters, no space at either end (PS3.5 6.2). */
export const aeTitle = z
  .string({ error: ({ input }) => `expected an AE title, got ${JSON.stringify(input)}; put it in quotes` })
  .regex(
    /^(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )$/,
    'expected an AE title: 1 to 16 ASCII characters, no backslash, no space at either end',
  )
  .meta({ title: 'AE title' });

/** An IANA time zone that this Node.js knows. */
export const timeZone = z
  .string()
  .refine((name) => isTimeZone(name), { error: 'expected an IANA time zone like Europe/Amsterdam' })
  .meta({ title: 'time zone' });

function isTimeZone(name: string): boolean {
  // offsets such as +01:00 would lack the change to daylight saving time
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

/** The schemas of names of files, which `loadConfig` makes absolute; a schema with a description of its own stays in it. */
export const fileNames = z.registry<{ readonly absolute: true }>();

/** The name of a file; relative ones are relative to the folder of the configuration file. */
export const file = z.string().min(1).register(fileNames, { absolute: true });

/** An absolute folder. */
export const folder = z
  .string()
  .regex(/^\/[^\0]*$/, 'expected an absolute folder like /data')
  .meta({ title: 'folder' });

/** A regular expression (ECMAScript, `u` flag); compiled. */
export const pattern = () =>
  z
    .string()
    .min(1)
    .max(LONGEST_PATTERN)
    .meta({ title: 'pattern' })
    .transform((source, context): Pattern => {
      try {
        return compilePattern(source);
      } catch (error) {
        const reason = messageOf(error);
        context.addIssue({ code: 'custom', message: `expected a regular expression: ${reason}` });
        return z.NEVER;
      }
    });

/** An odd group for private elements (PS3.5 7.8.1): four hexadecimal digits, 0009 to FFFD. */
export const privateGroup = z
  .string({
    error: () =>
      "expected four hexadecimal digits in quotes, like '0021': without quotes YAML reads a number",
  })
  .regex(/^[0-9a-fA-F]{4}$/, "expected four hexadecimal digits, like '0021'")
  .refine((digits) => isPrivateGroup(Number.parseInt(digits, 16)), {
    error: 'expected an odd group from 0009 to FFFD (PS3.5 7.8.1)',
  })
  .meta({ title: 'group' });

const isPrivateGroup = (group: number): boolean => group % 2 === 1 && group >= 0x0009 && group <= 0xfffd;

/** A cron expression of five fields, or six with seconds first: numbers, names, `*`, lists, ranges, steps. */
export const cron = z
  .string()
  .superRefine((expression, context) => {
    const message = cronProblem(expression);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .meta({ title: 'cron expression' });

/** An address of this machine to listen on. */
export const bindAddress = z
  .string()
  .refine((text) => isIP(text) !== 0 || text === 'localhost', {
    error:
      'expected an address of this machine: 127.0.0.1 (only this machine), 0.0.0.0 (all), or one of its own',
  })
  .meta({ title: 'address' });

/** Proxies in front: addresses and networks. */
export const proxyAddresses = z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]));

/** A host name or an address, without port, scheme or path. */
export const host = z
  .string()
  .refine(
    (text) => isIP(text) !== 0 || /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/.test(text),
    {
      error: 'expected a host name or an address, without port and without http://',
    },
  )
  .meta({ title: 'host' });

const quoted = z.string({
  error: ({ input }) => `expected text, got ${JSON.stringify(input)}; put it in quotes`,
});

/** Text of a DICOM value that every peer can read: printable ASCII, no backslash (which separates values), no space at either end. */
export const plainText = (most: number) =>
  quoted
    .min(1)
    .max(most)
    .regex(
      /^(?! )[\x20-\x5b\x5d-\x7e]+(?<! )$/,
      'expected printable ASCII characters, no backslash, no space at either end',
    );

/** Text of a DICOM value in the scanner's own character set (SH, LO): no backslash and no control characters (PS3.5 6.2). */
export const dicomText = (most: number) =>
  quoted
    .min(1)
    .max(most)
    // not regex(): JSON Schema, which would show it, knows no flags
    .refine((text) => !/[\\\p{Cc}]/u.test(text), {
      error: 'expected text without backslash and line breaks',
    });

/** 0 lets the system choose, which tests do. */
export const port = z.int().min(0).max(65535);

export const modality = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{1,15}$/, 'expected a DICOM modality in capitals such as MR')
  .meta({ title: 'modality' });

/** A field of a cron expression, which has five, or six with seconds first. */
interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { name: 'second', least: 0, most: 59 },
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, words: MONTHS },
  { name: 'day of the week', least: 0, most: 7, words: DAYS },
];
/** `*`, `5`, `1-5`, each with an optional step, numbers or names. */
const ITEM = /^(?:\*|(?<from>[a-z]{3}|\d{1,2})(?:-(?<to>[a-z]{3}|\d{1,2}))?)(?:\/(?<step>\d{1,2}))?$/;

/** What is wrong with a cron expression; undefined where it is good. */
export function cronProblem(expression: string): string | undefined {
  const fields = expression.trim().toLowerCase().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6)
    return 'expected a cron expression of five fields (minute, hour, day, month, weekday) like */5 * * * *';
  for (const [index, field] of FIELDS.slice(6 - fields.length).entries()) {
    const text = fields[index] ?? '';
    if (!text.split(',').every((item) => isItem(item, field)))
      return `expected a cron expression like */5 * * * *: ${text} is no ${field.name}, which goes from ${field.least} to ${field.most}`;
  }
  return undefined;
}

function isItem(item: string, field: Field): boolean {
  const groups = ITEM.exec(item)?.groups;
  if (groups === undefined) return false;
  const { from, to, step } = groups;
  if (step !== undefined && (Number(step) < 1 || (from !== undefined && to === undefined))) return false;
  if (from === undefined) return true;
  const first = valueOf(from, field);
  const last = to === undefined ? first : valueOf(to, field);
  return first >= field.least && last <= field.most && first <= last;
}

/** NaN, which no comparison holds for, where a word is unknown in this field. */
function valueOf(text: string, { least, words = [] }: Field): number {
  if (/^\d/.test(text)) return Number(text);
  const index = words.indexOf(text);
  return index === -1 ? Number.NaN : index + least;
}

/** Keywords of DICOM attributes with their VR. The caller gives them: this package does not know the dictionary. */
export type KnownAttributes = ReadonlyMap<string, string>;

/** Why an attribute cannot stand there; undefined where it can, or where nobody knows. */
export function attributeProblem(keyword: string, known: KnownAttributes | undefined): string | undefined {
  if (known === undefined) return undefined;
  const vr = known.get(keyword);
  if (vr === undefined)
    return `there is no DICOM attribute ${keyword}${didYouMean(keyword, [...known.keys()])}`;
  return NO_TEXT.has(vr) ? `${keyword} is no text and no number (${vr})` : undefined;
}

const NO_TEXT: ReadonlySet<string> = new Set(['SQ', 'OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN', 'AT']);

/** Without code extensions (PS3.3 tables C.12-2 and C.12-5). */
export const CHARACTER_SETS = [
  ...['ISO_IR 6', 'ISO_IR 100', 'ISO_IR 101', 'ISO_IR 109', 'ISO_IR 110', 'ISO_IR 144', 'ISO_IR 127'],
  ...['ISO_IR 126', 'ISO_IR 138', 'ISO_IR 148', 'ISO_IR 203', 'ISO_IR 13', 'ISO_IR 166', 'ISO_IR 192'],
  ...['GB18030', 'GBK'],
] as const;

/** With code extensions, by number: those of two bytes a character (table C.12-4), and those of one (table C.12-3). */
export const WIDE_SETS = ['87', '159', '149', '58'] as const;
export const NARROW_SETS = [
  ...['6', '100', '101', '109', '110', '144', '127', '126', '138', '148', '203', '13', '166'],
] as const;

const narrow = `ISO 2022 IR (?:${NARROW_SETS.join('|')})`;
const wide = `ISO 2022 IR (?:${WIDE_SETS.join('|')})`;
/** One of two bytes a character has ASCII beside it; several have a backslash between them, and ASCII as an empty first. */
const EXTENDED = String.raw`^(?:${narrow}|${wide}|(?:${narrow})?(?:\\(?:${narrow}|${wide}))+)$`;

const error = ({ input }: { readonly input?: unknown }): string =>
  `expected a character set such as ISO_IR 100, ISO_IR 192, GB18030, 'ISO 2022 IR 87' or 'ISO 2022 IR 13\\ISO 2022 IR 87', got ${JSON.stringify(input)}`;

/** A set that a scanner can be answered in. */
export const characterSet = z.union(
  [
    z.enum(CHARACTER_SETS, { error }),
    z
      .string({ error })
      .regex(new RegExp(EXTENDED), { error })
      .meta({ title: 'sets with code extensions such as `ISO 2022 IR 87`' }),
  ],
  { error },
);

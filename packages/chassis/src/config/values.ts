/** The kinds of values of scanflow.yaml that YAML itself does not know: durations, AE titles, patterns, zones. */
import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?<amount>\d{1,9})(?<unit>ms|s|m|h|d)$/;
const LONGEST_MS = 3650 * 86_400_000;
const LONGEST_PATTERN = 500;

/** `90s`, `5m`, `12h`, `7d`, `500ms`: milliseconds, at least 1, at most ten years. */
export const duration = z
  .string({
    error: ({ input }) => `expected a duration like 90s, 5m, 12h or 7d, got ${JSON.stringify(input)}`,
  })
  .meta({ pattern: DURATION.source.replaceAll(/\?<\w+>/g, ''), title: 'duration' })
  .transform((text, context) => {
    const { amount, unit } = DURATION.exec(text)?.groups ?? {};
    const ms = Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
    if (ms >= 1 && ms <= LONGEST_MS) return ms;
    context.addIssue({
      code: 'custom',
      message: `expected a duration like 90s, 5m, 12h or 7d, got ${JSON.stringify(text)}`,
    });
    return z.NEVER;
  });

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

/** An absolute folder. */
export const folder = z
  .string()
  .regex(/^\/[^\0]*$/, 'expected an absolute folder like /data')
  .meta({ title: 'folder' });

/** A regular expression (ECMAScript, `u` flag) that has at least the named groups `required`. */
export const pattern = (required: readonly string[]) =>
  z
    .string()
    .min(1)
    .max(LONGEST_PATTERN)
    .meta({ title: 'pattern' })
    .transform((source, context) => {
      const compiled = compile(source);
      if (typeof compiled === 'string') {
        context.addIssue({ code: 'custom', message: `expected a regular expression: ${compiled}` });
        return z.NEVER;
      }
      const missing = required.filter((name) => !source.includes(`(?<${name}>`));
      if (missing.length === 0) return compiled;
      const groups = missing.map((name) => `(?<${name}>…)`).join(', ');
      context.addIssue({
        code: 'custom',
        message: `the pattern lacks the named ${missing.length === 1 ? 'group' : 'groups'} ${groups}`,
      });
      return z.NEVER;
    });

function compile(source: string): RegExp | string {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

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
  .regex(/^(?:[\w*/,-]+\s+){4,5}[\w*/,-]+$/, 'expected a cron expression of five fields like */5 * * * *')
  .meta({ title: 'cron expression' });

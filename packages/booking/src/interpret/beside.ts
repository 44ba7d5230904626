/** What a title names beside the labels that were taken from it. Nothing of it is dropped silently. */
import { twoLabels, twoSubjects } from './check.ts';
import { reject, type Verdict } from './codes.ts';
import { lineOf } from './example.ts';
import { hintsOf } from './hints.ts';
import type { PartialLabels } from './labels.ts';
import { quoted } from './quote.ts';
import type { BookingRules } from './rules.ts';

/** What is counted is no session: `2 hours`, `30 min`, `2 RAs`. */
const COUNTED =
  '(?!\\s+(?:h|hrs?|hours?|min\\p{L}*|uur|uren|std|stunden?|heures?|timer?|timmar|tim|horas?|ore|ora|godz\\p{L}*|hod\\p{L}*|' +
  "days?|weeks?|people|persons?|pers|ra['’]?s?|runs?|coils?|blocks?)(?!\\p{L}))";
/** `+ 02`, `and mri02`, behind the labels. */
const AND_CODE = new RegExp(
  '^\\s*(?:[,;&+/|]|(?:and|en|und|et|y|e|og|och|i|a|or|of|oder|ou)\\s)\\s*' +
    `(?<code>\\p{L}*[-_]?\\d{1,3})(?![\\p{L}\\p{N}:.])${COUNTED}`,
  'iu',
);
/** `t/m 03`, `-> mri03` behind the labels: a number alone may be an hour, so it counts with a zero in front. */
const TO_CODE =
  /^\s*(?:(?:t\/m|tot|to|till?|until|through|bis|[àa]|jusqu['’][àa]|hasta|do|až|och|–|[-=]?>|→)\s*)(?<code>\p{L}+[-_]?\d{1,3}|0\d{1,2})(?![\p{L}\p{N}:.])/iu;
/** `?`, `(?)` right behind the labels. */
const DOUBT = /^\s*[([]?\s*\?/u;
/** A word with a digit right after the labels may be a label too, and so may one letter; a time or a length is none. */
const TRAILING_CODE =
  /^(?:[\s,;:|([-]+|\s+(?:and|en|und|et)\s+)(?!\d{1,2}[:.h]\d{2}|\d+\s?(?:T|ch|min|u|h|am|pm|uur|hrs?|st|nd|rd|th)\b)#?(?<code>[\p{L}._-]*\d[\p{L}\d._-]*|\p{L})(?=$|[\s,;)\]])/u;

/** Why such a title is refused: it names several labels of one kind, or says that one is not sure. */
export function besides(
  title: string,
  { labels: { session = '' }, rest }: { readonly labels: PartialLabels; readonly rest: string },
  rules: BookingRules,
): Verdict | undefined {
  const { subjects, several } = hintsOf(title, rules);
  if (subjects.length > 1) return twoSubjects(subjects, rules);
  if (several !== undefined) return twoLabels(several.name, several.found, rules);
  if (DOUBT.test(rest)) return uncertain(session, rules);
  const { code = '' } = (AND_CODE.exec(rest) ?? TO_CODE.exec(rest))?.groups ?? {};
  const isSession = code !== '' && (/^\d+$/u.test(code) || stem(session).endsWith(stem(code)));
  return isSession ? twoLabels('session', [session, code], rules) : undefined;
}

/** `part 2`, `visite 2`: an occasion with a number. */
const OCCASION =
  /^[\s,;:|([-]+(?:part|deel|teil|partie|del|parte|część|část|session|sessie|sitzung|séance|sesión|sessione|sesja|visit|visite|besuch|bezoek|day|dag|tag|jour|day|week|run|scan)[\s-]*#?(?<code>\d{1,3})(?=$|[\s,;)\]])/iu;

/** A code that follows the labels and counts for nothing. */
export const codeAfter = (rest: string): string | undefined =>
  (TRAILING_CODE.exec(rest) ?? OCCASION.exec(rest))?.groups?.['code'];

const stem = (code: string): string => code.replace(/[\d.]+$/u, '').toLowerCase();

function uncertain(session: string, rules: BookingRules): Verdict {
  const what = quoted(session) ?? 'the labels';
  return reject(
    'SUBJECT_OPEN',
    `The “?” after ${what} in the title says that something is not decided yet. Take it out when it is, before the scan. Write it like ${lineOf('session', session, rules)}.`,
  );
}

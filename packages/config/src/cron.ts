/** Checks cron expressions: five fields, or six with seconds first. Pure. */

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

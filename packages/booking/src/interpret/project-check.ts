/** Whether a booking may use its project: one of the facility's list, booked by whom, where and when the list says. */
import { reject, type RejectCode, type Verdict } from './codes.ts';
import type { BookableEvent } from './event.ts';
import { refusalOf, type Refusal } from './projects.ts';
import { isQuotable } from './quote.ts';
import type { BookingRules } from './rules.ts';

/** None of them names a person: reasons stand in files that others read. `NUMBER` is the project of the booking. */
const SENTENCES: Readonly<Record<Refusal, string>> = {
  PROJECT_NOT_YOURS:
    'The facility lets only certain people book this project, and the event was not made by one of them. Check NUMBER, or ask the facility to add your mail address to the project.',
  PROJECT_NOT_HERE:
    'The facility does not let this project use this scanner. Check NUMBER, or ask the facility to add the scanner to the project.',
  PROJECT_NOT_YET:
    'The project has not begun on the day of this booking. Check NUMBER, or make the booking for a later day.',
  PROJECT_ENDED:
    'The project has ended before the day of this booking. Check NUMBER, or ask the facility to extend the project.',
};

/** What keeps the booking from its project; undefined where nothing does. */
export function checkProject(
  project: string,
  event: BookableEvent,
  scanner: string,
  { projects, zone }: Pick<BookingRules, 'projects' | 'zone'>,
): Verdict | undefined {
  const rule = projects?.get(project);
  if (projects === undefined) return undefined;
  if (rule === undefined) return unknown([...projects.keys()][0]);
  const refusal = refusalOf(rule, { event, scanner, zone });
  if (refusal === undefined) return undefined;
  const number = `the number, “Project: ${isQuotable(project) ? project : '…'}”`;
  return reject(refusal satisfies RejectCode, SENTENCES[refusal].replace('NUMBER', number));
}

function unknown(example: string | undefined): Verdict {
  const like = example === undefined ? '' : `, like “Project: ${example}”`;
  return reject(
    'PROJECT_UNKNOWN',
    `There is no project of this name in the facility's list. Check its number, or ask the facility to add it; write it as it is there${like}.`,
  );
}

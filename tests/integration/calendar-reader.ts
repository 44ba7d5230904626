/** Reads every fixture of a folder and prints what came of each, as JSON; run by tests in several host time zones. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCalendar } from '@scanflow/calendar';
import { outcomeOf, readExpected, type Outcome } from './calendar-support.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const folder = positionals[0] ?? '.';
const outcomes: Record<string, Outcome> = {};
for (const file of (await readdir(folder)).filter((name) => name.endsWith('.ics'))) {
  const name = file.slice(0, -'.ics'.length);
  const { window, zone } = await readExpected(folder, name);
  const [from, to] = [Temporal.Instant.from(window.from), Temporal.Instant.from(window.to)];
  outcomes[name] = outcomeOf(
    readCalendar(await readFile(join(folder, file)), { window: { from, to }, zone }),
  );
}
process.stdout.write(JSON.stringify(outcomes));

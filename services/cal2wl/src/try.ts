/** Tries out each calendar for the page Health: asks its server, as a pass does, and keeps nothing of the answer. */
import { readIsolated } from '@scanflow/calendar';
import type { Config } from '@scanflow/config';
import { placeOf } from '@scanflow/sources';
import { failure, ok, skipped, type Check, type Finding } from '@scanflow/transfer/doctor/check';
import { TRIAL_MS } from '@scanflow/transfer/doctor/trials';
import type { Reader } from './reader.ts';

export const calendarTrials = (
  { calendars, facility }: Pick<Config, 'calendars' | 'facility'>,
  readers: ReadonlyMap<string, Pick<Reader, 'standing'>>,
): Check[] =>
  Object.entries(calendars).map(([name, settings]) => ({
    name,
    run: (signal) => tryOut(settings, readers.get(name)?.standing() ?? {}, facility.timezone, signal),
  }));

async function tryOut(
  settings: Config['calendars'][string],
  { validators = {}, notBefore }: Partial<ReturnType<Reader['standing']>>,
  zone: string,
  signal: AbortSignal,
): Promise<Finding> {
  const now = Temporal.Now.instant();
  if (notBefore !== undefined && Temporal.Instant.compare(now, notBefore) < 0)
    return skipped(
      `its server asked us to wait until ${notBefore.toString({ smallestUnit: 'second' })}`,
      'Wait: cal2wl asks again by itself.',
    );
  const fetched = await placeOf(settings).source.fetch(validators, signal);
  if (fetched.kind === 'failed') return failure(fetched.failure);
  if (fetched.kind === 'notModified') return ok('it answers: unchanged since it was last read');
  const { bytes, charset = '' } = fetched;
  const window = { from: now, to: now.add({ hours: 24 }) };
  const read = await readIsolated(bytes, { window, zone, charset, timeoutMs: TRIAL_MS });
  if (!read.ok) return failure(read.error);
  const size = `${Math.ceil(bytes.length / 1000)} kB`;
  const { events } = read.content;
  return ok(`it answers with a calendar of ${size}; ${events.length} events in the next 24 hours`);
}

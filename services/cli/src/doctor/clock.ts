/** Clocks: leases, the times of images and TLS need machines that agree. */
import type { Config } from '@scanflow/config';
import { FailureError } from '@scanflow/failure';
import { orthancClient } from '@scanflow/orthanc';
import { failed, ok, sees, warning, type Check, type Finding, type Place } from './check.ts';
import { accessOf } from './orthanc.ts';

export const clockChecks = (place: Place): Check[] => [
  {
    name: 'clock',
    run: async (signal) => {
      const { config, timeoutMs } = place;
      const now = Temporal.Now.instant();
      const local = judgeClock(now, config.facility.timezone);
      if (!sees(place, 'streamer') || local.state !== 'ok') return local;
      const theirs = await orthancsTime(config, timeoutMs, signal);
      return theirs === undefined ? local : judgeSkew(theirs, config);
    },
  },
];

interface Asked {
  readonly before: Temporal.Instant;
  readonly after: Temporal.Instant;
  /** Orthanc's time in between, to the second. */
  readonly said: Temporal.Instant;
}

/** Undefined if Orthanc does not answer: another check reports that. */
async function orthancsTime(
  config: Config,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Asked | undefined> {
  const access = await accessOf(config, timeoutMs).catch(() => undefined);
  if (access === undefined) return undefined;
  const client = orthancClient(access);
  try {
    const before = Temporal.Now.instant();
    const text = await client.text('/tools/now', signal);
    const after = Temporal.Now.instant();
    const said = orthancInstant(text);
    return said === undefined ? undefined : { before, after, said };
  } catch (error) {
    if (error instanceof FailureError) return undefined;
    throw error;
  } finally {
    client.close();
  }
}

/** Orthanc's `20261122T100203`, in UTC. Pure. */
export function orthancInstant(text: string): Temporal.Instant | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/.exec(text.trim());
  if (parts === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] = parts;
  try {
    return Temporal.Instant.from(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  } catch {
    return undefined;
  }
}

const EARLIEST = Temporal.Instant.from('2026-01-01T00:00:00Z');
const LATEST = Temporal.Instant.from('2100-01-01T00:00:00Z');

/** Whether our own clock can be right. Pure. */
export function judgeClock(now: Temporal.Instant, zone: string): Finding {
  const local = now.toZonedDateTimeISO(zone);
  const text = `${local.toPlainDate().toString()} ${local.toPlainTime().toString({ smallestUnit: 'second' })} in ${zone}`;
  return Temporal.Instant.compare(now, EARLIEST) < 0 || Temporal.Instant.compare(now, LATEST) > 0
    ? failed(`this machine's clock says ${text}`, 'Set it, by NTP.')
    : ok(`it is ${text}`);
}

const WARN_S = 5;
const FAIL_S = 30;

/** How far Orthanc's clock is from ours. Pure. */
export function judgeSkew(asked: Asked, { facility, ledger }: Pick<Config, 'facility' | 'ledger'>): Finding {
  const { before, after, said } = asked;
  // Orthanc's answer has no fractions of a second
  const early = before.since(said).total('seconds') - 1;
  const late = said.since(after).total('seconds');
  const seconds = Math.round(Math.max(early, late, 0));
  const which = early > late ? 'behind' : 'ahead of';
  const todo = 'Set both by NTP.';
  const text = `Orthanc's clock is ${seconds} s ${which} ours`;
  if (ledger.url !== undefined && seconds * 1000 > ledger.lease / 4)
    return failed(`${text}; leases of ${ledger.lease / 1000} s need clocks that agree`, todo);
  if (seconds > FAIL_S) return failed(text, todo);
  if (seconds > WARN_S) return warning(text, todo);
  return ok(`${judgeClock(after, facility.timezone).message}; Orthanc's clock agrees`);
}

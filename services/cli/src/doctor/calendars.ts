/** Calendars: when each was last read without a failure. */
import { askApi } from '../api.ts';
import { cannotAsk, failed, ok, sees, warning, type Check, type Finding, type Place } from './check.ts';

const HOUR_S = 3_600;
/** Beyond this, a booking server's times of change are wrong. */
const SKEW_S = 60;

export function calendarChecks(place: Place): Check[] {
  const { config } = place;
  if (!sees(place, 'cal2wl') || Object.keys(config.calendars).length === 0) return [];
  return [
    {
      name: 'calendars',
      run: async (signal) => {
        const page = await askApi(config, 'cal2wl', '/api/calendars', signal);
        const list = 'trouble' in page ? undefined : page.body['calendars'];
        if (!Array.isArray(list)) return cannotAsk('cal2wl', 'which reads them');
        return judgeCalendars(list as readonly CalendarState[], Object.keys(config.calendars));
      },
    },
  ];
}

/** A calendar in cal2wl's `/api/calendars`. */
export interface CalendarState {
  readonly calendar: string;
  readonly scanner?: string;
  readonly state: string;
  readonly bookings?: number;
  readonly rejected?: number;
  readonly ageSeconds?: number;
  readonly held?: number;
  readonly clockSkewSeconds?: number;
  readonly failure?: { readonly code: string; readonly message: string };
  /** What is odd about it, although it was read. */
  readonly notes?: readonly { readonly code: string; readonly message: string }[];
}

/** A line for each calendar with a problem, otherwise one line for all. Pure. */
export function judgeCalendars(states: readonly CalendarState[], configured: readonly string[]): Finding[] {
  const known = new Map(states.map((state) => [state.calendar, state]));
  const findings = configured.flatMap((name) => {
    const state = known.get(name);
    return state === undefined
      ? [
          warning(
            `${name} is not among those that cal2wl reads`,
            'Restart cal2wl: its configuration is older.',
          ),
        ]
      : judgeCalendar(state);
  });
  const bad = findings.filter(({ state }) => state !== 'ok');
  if (bad.length > 0) return bad;
  const oldest = Math.max(...states.map(({ ageSeconds = 0 }) => ageSeconds));
  return [ok(`${configured.join(', ')}: read well, the oldest ${ageText(oldest)} ago`)];
}

function judgeCalendar({ calendar, state, ageSeconds, held = 0, ...more }: CalendarState): Finding[] {
  const { failure, notes = [], clockSkewSeconds = 0 } = more;
  const findings: Finding[] = [];
  if (state !== 'good') {
    const why = failure === undefined ? '' : `: ${failure.message}`;
    const age = ageSeconds === undefined ? 'was never read' : `was last read ${ageText(ageSeconds)} ago`;
    const serious = ageSeconds === undefined || ageSeconds > HOUR_S;
    findings.push(
      (serious ? failed : warning)(
        `${calendar} ${age}${why}`,
        'Its last good copy stays on the worklist; docs/operations.md#calendars has each reason.',
        failure?.code,
      ),
    );
  }
  for (const { code, message } of notes)
    findings.push(
      warning(`${calendar}: ${message}`, 'Its bookings are on the worklist; docs/failures.md#cal2wl.', code),
    );
  if (held > 0)
    findings.push(
      warning(
        `${calendar} suddenly lost bookings; ${held} are held on the worklist`,
        `If they are really gone: scanflow calendars accept ${calendar}`,
      ),
    );
  if (Math.abs(clockSkewSeconds) > SKEW_S)
    findings.push(
      warning(
        `the clock of ${calendar}'s server differs from ours by ${clockSkewSeconds} s`,
        'Set both by NTP.',
      ),
    );
  return findings;
}

/** `59 s`, `30 min`, `2 h`, `3 days`. */
export function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * HOUR_S) return `${Math.floor(seconds / 60)} min`;
  return seconds < 48 * HOUR_S
    ? `${Math.floor(seconds / HOUR_S)} h`
    : `${Math.floor(seconds / (24 * HOUR_S))} days`;
}

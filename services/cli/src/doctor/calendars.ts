/** Calendars: when each was last read well. */
import { askApi } from './pages.ts';
import { failed, ok, skipped, warning, type Check, type Finding } from './finding.ts';
import { sees, type Place } from './place.ts';

const HOUR_S = 3_600;
/** A booking server whose clock is further off than this gives wrong times of change. */
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
        if (!Array.isArray(list))
          return skipped('cal2wl, which reads them, cannot be asked', 'See secrets and cal2wl above.');
        return judgeCalendars(list as readonly CalendarState[], Object.keys(config.calendars));
      },
    },
  ];
}

export interface CalendarState {
  readonly calendar: string;
  readonly state: string;
  readonly ageSeconds?: number;
  readonly held?: number;
  readonly clockSkewSeconds?: number;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly notes?: readonly { readonly code: string; readonly message: string }[];
}

/** A line for each that is not well, one for all the others. Pure. */
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
        'What it last said stays on the worklist; docs/operations.md#calendars has each reason.',
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

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * HOUR_S) return `${Math.floor(seconds / 60)} min`;
  return seconds < 48 * HOUR_S
    ? `${Math.floor(seconds / HOUR_S)} h`
    : `${Math.floor(seconds / (24 * HOUR_S))} days`;
}

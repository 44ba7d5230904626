/** What services report of themselves: health and version, the ledger, and when each calendar was last read. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';
import {
  failed,
  failure as findingOf,
  hostIn,
  ok,
  OPTIONAL,
  sees,
  SERVICES,
  warning,
  type Check,
  type Finding,
  type Place,
  type ServiceName,
} from '@scanflow/transfer/doctor/check';
import { serversIn } from '@scanflow/config';
import { askPage, askApi } from '../installation.ts';
import { pageOf, cannotAsk } from './results.ts';
import { kindOf } from '@scanflow/transfer/doctor/folder';

export const healthChecks = (place: Place, version: string): Check[] =>
  // senders.ts checks the receiver: an installation may have none
  SERVICES.filter((service) => service !== 'receiver' && sees(place, service)).map((service) => ({
    name: service,
    run: async (signal) => {
      const url = pageOf(place, service, '/healthz');
      const page = await askPage(url, signal);
      if ('trouble' in page) {
        const optional = OPTIONAL.has(service) && place.service !== service;
        return (optional ? warning : failed)(
          `${service} does not answer at ${url} (${page.trouble})`,
          `Start it, or look why it ended: docker compose ps -a, docker compose logs ${service}; http.ports has its port.${optional ? ' Everything else works without it.' : ''}`,
        );
      }
      return judgeHealth(service, page, version);
    },
  }));

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a service reports of itself. `version`: of this command. Pure. */
export function judgeHealth(
  service: ServiceName | 'bids',
  { status, body }: Answer,
  version: string,
): Finding[] {
  const theirs = body['version'];
  if (typeof body['status'] !== 'string')
    return [
      failed(
        `what answers is no ${service} (status ${status})`,
        `Another program has its port; correct http.ports.${service}, or stop that program.`,
      ),
    ];
  const findings: Finding[] = faultsIn(service, body);
  if (status !== 200 && findings.every(({ state }) => state !== 'failed'))
    findings.push(
      failed(
        `it says that it is not well: ${reasons(body).join(' ') || 'no reason given'}`,
        `docker compose logs ${service} shows more.`,
      ),
    );
  const { warning: warned, problems, faults } = body;
  if (typeof warned === 'string' && faults === undefined)
    findings.push(warning(warned, 'See docs/failures.md.'));
  if (typeof problems === 'number' && problems > 0)
    findings.push(
      warning(
        `${problems} files of the worklist have a problem`,
        `scanflow page ${service} /api/worklist names them.`,
      ),
    );
  if (theirs !== version)
    findings.push(
      warning(
        `it is version ${typeof theirs === 'string' ? theirs : 'unknown'}, this command is ${version}`,
        'Restart it with the same version: docker compose up -d --build.',
      ),
    );
  return findings.length > 0 ? findings : [ok(`it runs, version ${version}`)];
}

/** Each fault that the service names. What is degraded of cal2wl is its calendars, which have a check of their own. */
function faultsIn(service: ServiceName | 'bids', { faults }: Answer['body']): Finding[] {
  if (!Array.isArray(faults)) return [];
  return (faults as readonly Readonly<Record<string, unknown>>[]).flatMap(({ state, code, message }) => {
    if (typeof code !== 'string' || typeof message !== 'string') return [];
    const found = findingOf({ code, message });
    if (state === 'failing') return [found];
    return service === 'cal2wl' ? [] : [{ ...found, state: 'warning' as const }];
  });
}

/** The texts in the answer that say what is wrong. */
function reasons(body: Readonly<Record<string, unknown>>): string[] {
  const { why, reason, failure, storage, ledger, orthanc } = body;
  const nested =
    typeof orthanc === 'object' && orthanc !== null && 'message' in orthanc ? orthanc.message : '';
  return [why, reason, failure, ledger, storage, nested].filter(
    (text): text is string => typeof text === 'string' && text !== '' && text !== 'ok',
  );
}

export const ledgerChecks = (place: Place): Check[] =>
  sees(place, 'streamer') ? [{ name: 'ledger', run: (signal) => lookAtLedger(place, signal) }] : [];

async function lookAtLedger(place: Place, signal: AbortSignal): Promise<Finding> {
  const { ledger, data } = place.config;
  const there = ledger.url === undefined ? await sqlite(data) : await servers(ledger.url, ledger.tls, signal);
  if (there.state === 'failed') return there;
  const page = await askPage(pageOf(place, 'streamer', '/healthz'), signal);
  const said = 'trouble' in page ? undefined : page.body['ledger'];
  if (said === 'ok') return there;
  if (typeof said === 'string')
    return failed(`the streamer says: ${said}`, 'See docs/failures.md.', 'LEDGER_FAILED');
  return warning(
    `${there.message}; the streamer, which works with it, cannot be asked`,
    'See streamer above.',
  );
}

async function sqlite(data: string): Promise<Finding> {
  const file = join(data, 'streamer', 'ledger.sqlite');
  return (await kindOf(file)) === 'file'
    ? ok(`${file} is in order`)
    : failed(`there is no ${file}`, 'Start the streamer, which makes it; or correct `data`.');
}

/** PostgreSQL's SSLRequest: any server answers it with one byte, without a password. */
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');
const PORT = 5432;

/** One that answers is enough: the others stand in for it. Which of them takes writes, the streamer finds out. */
async function servers(url: string, tls: object | undefined, signal: AbortSignal): Promise<Finding> {
  const found = await Promise.all(serversIn(url).map((one) => postgres(one, tls, signal)));
  const [good] = found.filter(({ state }) => state === 'ok');
  const [bad] = found.filter(({ state }) => state !== 'ok');
  if (good === undefined || bad === undefined)
    return found[0] ?? failed('ledger.url names no server', 'Correct it.');
  return warning(
    `${good.message}, but ${bad.message}`,
    'Start that one again, as a replica of the one that takes writes.',
    'LEDGER_UNREACHABLE',
  );
}

async function postgres(url: string, tls: object | undefined, signal: AbortSignal): Promise<Finding> {
  const address = new URL(url);
  const port = address.port === '' ? PORT : Number(address.port);
  const where = `${address.hostname}:${port}`;
  const socket = connect({ host: hostIn(address), port });
  try {
    await once(socket, 'connect', { signal });
    socket.write(SSL_REQUEST);
    const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
    return judgePostgres(where, answer.toString('latin1', 0, 1), tls !== undefined);
  } catch (error) {
    signal.throwIfAborted();
    return failed(
      `PostgreSQL, which holds the ledger, does not answer at ${where} (${codeOf(error) ?? messageOf(error)})`,
      'Start it, or correct ledger.url; the work goes on by itself.',
      'LEDGER_UNREACHABLE',
    );
  } finally {
    socket.destroy();
  }
}

/** `S`: the server has TLS, `N`: it has not. Pure. */
export function judgePostgres(where: string, answer: string, tls: boolean): Finding {
  if (answer !== 'S' && answer !== 'N')
    return failed(`what answers at ${where} is no PostgreSQL`, 'Correct ledger.url.', 'LEDGER_UNREACHABLE');
  if (tls && answer === 'N')
    return failed(
      `PostgreSQL at ${where} speaks no TLS, and ledger.tls requires it`,
      'Turn TLS on there.',
      'LEDGER_TLS',
    );
  return ok(`PostgreSQL at ${where} answers`);
}

export const HOUR_S = 3_600;
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
  /** Why it takes no answers. */
  readonly answer?: { readonly code: string; readonly message: string };
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

function judgeCalendar(one: CalendarState): Finding[] {
  const { calendar, state, held = 0, notes = [], clockSkewSeconds = 0, bookings = 0, rejected = 0 } = one;
  const { answer } = one;
  const findings = state === 'good' ? [] : [unreadText(one)];
  for (const { code, message } of notes)
    findings.push(
      warning(`${calendar}: ${message}`, 'Its bookings are on the worklist; docs/failures.md#cal2wl.', code),
    );
  if (answer !== undefined)
    findings.push(
      warning(
        `${calendar} takes no answers, so its events do not say what became of them: ${answer.message}`,
        'The worklist is complete; docs/booking-reference.md#answers-in-the-calendar.',
        answer.code,
      ),
    );
  if (held > 0)
    findings.push(
      warning(
        `${calendar} suddenly lost bookings; ${held} are held on the worklist`,
        `If they are really gone: scanflow calendars accept ${calendar}`,
      ),
    );
  if (rejected > 0) findings.push(rejectedText(calendar, rejected, rejected + bookings));
  if (Math.abs(clockSkewSeconds) > SKEW_S)
    findings.push(
      warning(
        `the clock of ${calendar}'s server differs from ours by ${clockSkewSeconds} s`,
        'Set both by NTP.',
      ),
    );
  return findings;
}

function unreadText({ calendar, ageSeconds, failure }: CalendarState): Finding {
  if (failure?.code === 'CALENDAR_RENAMED')
    return failed(failure.message, 'docs/booking-reference.md#renaming-a-calendar', failure.code);
  const why = failure === undefined ? '' : `: ${failure.message}`;
  const age = ageSeconds === undefined ? 'was never read' : `was last read ${ageText(ageSeconds)} ago`;
  const serious = ageSeconds === undefined || ageSeconds > HOUR_S;
  return (serious ? failed : warning)(
    `${calendar} ${age}${why}`,
    `${ageSeconds === undefined ? NEVER_READ : LAST_GOOD}; docs/operations.md#calendars has each reason.`,
    failure?.code,
  );
}

const NEVER_READ = 'Nothing of it is on the worklist until it has been read once';
const LAST_GOOD = 'Its last good copy stays on the worklist';

function rejectedText(calendar: string, rejected: number, all: number): Finding {
  const [are, them] = rejected === 1 ? ['is', 'it'] : ['are', 'them'];
  return warning(
    `${calendar}: ${rejected} of ${all} bookings ${are} rejected, so no scanner sees ${them}`,
    'scanflow page cal2wl /api/bookings has the reason of each; whoever booked corrects the event in the calendar.',
  );
}

/** `59 s`, `30 min`, `2 h`, `3 days`. */
export function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * HOUR_S) return `${Math.floor(seconds / 60)} min`;
  return seconds < 48 * HOUR_S
    ? `${Math.floor(seconds / HOUR_S)} h`
    : `${Math.floor(seconds / (24 * HOUR_S))} days`;
}

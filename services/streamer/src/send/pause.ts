/** People pause a destination and resume it: GET /api/destinations, POST /api/destinations/NAME/pause and /resume. */
import { defined, given } from '@scanflow/failure/defined';
import type { FastifyInstance } from '@scanflow/runtime';
import { Answer, byWhom, reasonIn } from '../http/request.ts';
import {
  endedPauses,
  openPauses,
  pauseDestination,
  resumeDestination,
  type OpenPause,
  type Pause,
} from '../ledger/pauses.ts';
import { iso } from '../model/series.ts';
import type { LoopDeps } from '../work/deps.ts';

interface PauseDeps extends Pick<LoopDeps, 'ledger' | 'clock' | 'log'> {
  readonly destinations: readonly { readonly name: string }[];
  /** Wakes every worker. */
  readonly wake: () => void;
}

interface OfDestination {
  readonly Params: { readonly name: string };
}

export function pauseRoutes(app: FastifyInstance, deps: PauseDeps): void {
  app.get('/api/destinations', () => listed(deps));
  app.post<OfDestination>('/api/destinations/:name/pause', ({ params, body, ip }) =>
    pause(params.name, body, ip, deps),
  );
  app.post<OfDestination>('/api/destinations/:name/resume', ({ params, body, ip }) =>
    resume(params.name, body, ip, deps),
  );
}

/** Those of the configuration: a pause of one that left it is nobody's concern, and counts again where it comes back. */
async function listed({ ledger, destinations }: PauseDeps): Promise<object> {
  const open = await ledger.read(openPauses);
  const names = new Set(destinations.map(({ name }) => name));
  const ended = (await ledger.read(endedPauses)).filter(({ destination }) => names.has(destination));
  return {
    destinations: destinations.map(({ name }) => {
      const one = open.find(({ destination }) => destination === name);
      return { name, ...defined({ paused: given(one, pauseReport) }) };
    }),
    ended: ended.map((one) => ({
      destination: one.destination,
      since: iso(one.since),
      by: one.by,
      reason: one.reason,
      until: iso(one.ended),
      endedBy: one.endedBy,
      endedReason: one.endedReason,
    })),
  };
}

const pauseReport = ({ since, by, reason, waiting }: OpenPause): object => ({
  since: iso(since),
  by,
  reason,
  waiting,
});

async function pause(name: string, body: unknown, ip: string, deps: PauseDeps): Promise<object> {
  const { ledger, destinations, clock, log } = deps;
  if (!destinations.some((one) => one.name === name)) throw unknown(name, destinations);
  const who = byWhom(body, ip);
  const order = { at: clock.now(), ...who, reason: reasonIn(body, 'it shows wherever people look') };
  const before = await ledger.write(pauseDestination, name, order);
  if (before !== undefined) throw new Answer(409, `${name} is paused already${said(before)}`);
  log.warn('destination paused by hand: nothing more is sent there', { destination: name, ...who });
  return listed(deps);
}

const said = ({ since, by, reason }: Pause): string => ` since ${iso(since)}, by ${by}: ${reason}`;

/** Also one that left the configuration. */
async function resume(name: string, body: unknown, ip: string, deps: PauseDeps): Promise<object> {
  const { ledger, destinations, clock, log, wake } = deps;
  const who = byWhom(body, ip);
  const reason = reasonIn(body, '', '');
  const ended = await ledger.write(resumeDestination, name, { at: clock.now(), ...who, reason });
  if (!ended && !destinations.some((one) => one.name === name)) throw unknown(name, destinations);
  if (!ended) throw new Answer(409, `${name} is not paused`);
  log.warn('destination resumed by hand', { destination: name, ...who });
  wake();
  return listed(deps);
}

const unknown = (name: string, destinations: PauseDeps['destinations']): Answer =>
  new Answer(
    404,
    `there is no destination ${name} in the configuration (there: ${destinations.map((one) => one.name).join(', ') || 'none'})`,
  );

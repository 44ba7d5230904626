/**
 * What Health looks at, each asked of the service that knows it, with the time of the look. However often people press the button, it
 * is asked once in 2 s.
 */
import { z } from 'zod';
import {
  calendarsAnswer,
  faultAnswer,
  machineAnswer,
  problemsAnswer,
  refusedAnswer,
  rejectedAnswer,
  type MachineAnswer,
} from '../sources/answers.ts';
import { countsAnswer, rootsAnswer, strangersAnswer, streamerHealth } from '../sources/streamer-answers.ts';
import { asked, type Gatherer, type Services } from '../sources/gather.ts';
import type { Service } from '../sources/service.ts';

export interface ServiceHealth {
  readonly name: string;
  /** HTTP status of /healthz; undefined where nobody answers. */
  readonly status?: number;
  readonly version?: string;
  /** What it says of itself, as `key: value`. */
  readonly detail: readonly string[];
  /** What it says is wrong; none of a version before. */
  readonly faults: readonly z.infer<typeof faultAnswer>[];
}

export interface Machine {
  readonly service: string;
  /** Undefined where the service does not answer, or is of a version before. */
  readonly machine?: MachineAnswer;
}

export interface LookOptions {
  readonly gatherer: Pick<Gatherer, 'part'>;
  readonly services: Services;
  readonly receiver: Service;
  /** Where the configuration has `bids`. */
  readonly bids?: Service | undefined;
  /** What the board sees of its own machine. */
  readonly ownMachine: () => Promise<unknown>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Asks again after this time where somebody pressed the button, and otherwise after that. In milliseconds. */
const PRESSED_MS = 2_000;
const LOADED_MS = 10_000;

export function createLooks({ gatherer, services, receiver, bids, ownMachine, now }: LookOptions) {
  const { cal2wl, worklist, streamer } = services;
  const all = Object.entries({ ...services, receiver, ...(bids && { bids }) });
  const ask = <T>(name: string, service: Service, path: string, schema: z.ZodType<T>) =>
    kept(() => gatherer.part(name, () => asked(service, path, schema)), now);
  return {
    services: kept(() => Promise.all(all.map(([name, service]) => healthOf(name, service))), now),
    machines: kept(
      () =>
        Promise.all([
          ...all.map(([name, service]) => machineOf(name, () => service.ask('/api/machine'))),
          machineOf('dashboard', ownMachine),
        ]),
      now,
    ),
    calendars: ask('calendars', cal2wl, '/api/calendars', calendarsAnswer),
    worklist: ask('worklist', worklist, '/api/worklist', problemsAnswer),
    streamer: kept(
      () =>
        gatherer.part('streamer', async () => streamerHealth.parse((await streamer.look('/healthz')).body)),
      now,
    ),
    roots: ask('roots', streamer, '/api/storage', rootsAnswer),
    senders: ask('senders', streamer, '/api/senders', strangersAnswer),
    refused: ask('refused senders', receiver, '/api/senders', refusedAnswer),
    rejected: ask('refused queries', worklist, '/api/rejected', rejectedAnswer),
    counts: ask('counts', streamer, '/api/board/counts', countsAnswer),
  };
}

export type Looks = ReturnType<typeof createLooks>;

/** What was seen, and when somebody looked, in epoch milliseconds. */
export interface Looked<T> {
  readonly at: number;
  readonly seen: T;
}

/** `pressed`: somebody wants to know it now. */
type Look<T> = (pressed: boolean) => Promise<Looked<T>>;

function kept<T>(look: () => Promise<T>, now: () => number): Look<T> {
  let last: { readonly at: number; readonly looked: Promise<Looked<T>> } | undefined;
  return (pressed) => {
    const age = last === undefined ? Infinity : now() - last.at;
    if (last === undefined || age < 0 || age >= (pressed ? PRESSED_MS : LOADED_MS)) {
      const at = now();
      last = { at, looked: look().then((seen) => ({ at, seen })) };
    }
    return last.looked;
  };
}

/** What a service says of itself; only plain values, and none of them a label. */
async function healthOf(name: string, service: Service): Promise<ServiceHealth> {
  try {
    const { status, body } = await service.look('/healthz');
    const { version, ...rest } = body as Readonly<Record<string, unknown>>;
    const detail = Object.entries(rest).flatMap(([key, value]) =>
      ['string', 'number', 'boolean'].includes(typeof value) ? [`${key}: ${String(value)}`] : [],
    );
    const faults = z.array(faultAnswer).catch([]).parse(rest['faults']);
    return { name, status, detail, faults, ...(typeof version === 'string' ? { version } : {}) };
  } catch {
    return { name, detail: [], faults: [] };
  }
}

async function machineOf(service: string, ask: () => Promise<unknown>): Promise<Machine> {
  try {
    return { service, machine: machineAnswer.parse(await ask()) };
  } catch {
    return { service };
  }
}

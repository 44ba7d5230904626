/** The configuration of notices as the rounds use it. */
import type { Config } from '@scanflow/config';
import { boardAddress, channelsOf, recipientsOf, serviceAddress, type Notify } from '@scanflow/notify';
import { headersOf, tokenFileOf } from '@scanflow/runtime';
import type { Millis } from '../ledger/tx.ts';
import { hoursOf, type Opening } from '../work/pace.ts';
import type { ItRules } from './matters-it.ts';
import type { PeopleRules } from './matters-people.ts';
import type { Asked } from './types.ts';

export interface Notices {
  readonly notify: Notify;
  readonly channels: readonly string[];
  readonly facility: string;
  readonly it: ItRules | undefined;
  readonly people: PeopleRules;
  /** Open while people may be told nothing. */
  readonly quiet: ((now: number) => Opening) | undefined;
  readonly services: readonly Asked[];
  /** Since when a service does not answer, as this process saw it. */
  readonly silent: Map<string, Millis>;
  /** Between two looks, in milliseconds. */
  readonly everyMs: number;
}

const MOST_MS = 15_000;
const LEAST_MS = 1_000;

/** Undefined: the configuration has none. */
export function noticesOf(
  config: Config,
  { inContainer }: { readonly inContainer: boolean },
): Notices | undefined {
  const { notify, facility } = config;
  if (notify === undefined) return undefined;
  const { it, booker, projects, quiet } = notify;
  const board = boardAddress(config);
  const zone = facility.timezone;
  return {
    notify,
    channels: channelsOf(notify),
    facility: facility.name,
    it: it && {
      ...{
        to: recipientsOf(it),
        topics: new Set<string>(it.topics),
        urgent: new Set<string>(it.urgent),
        board,
        zone,
      },
      ...{ stale: it.stale, certificate: it.certificate, away: it.away, waiting: it.waiting },
    },
    people: {
      booker: booker && {
        ...{ domains: new Set(booker.domains), topics: new Set<string>(booker.topics) },
        ...{ example: booker.example, contact: booker.contact },
      },
      projects: new Map(Object.entries(projects).map(([project, one]) => [project, recipientsOf(one)])),
      ...{ board, zone },
    },
    quiet: hoursOf(quiet, zone),
    services: (['cal2wl', 'worklist', 'receiver', 'streamer'] as const).map((name) => ({
      name,
      url: serviceAddress(config, name, inContainer),
      headers: () => headersOf(tokenFileOf(config)),
    })),
    silent: new Map(),
    everyMs: Math.min(MOST_MS, Math.max(LEAST_MS, notify.gather)),
  };
}

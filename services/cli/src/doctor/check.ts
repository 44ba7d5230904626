/** What a check of `scanflow doctor` is, where it looks, and what it finds. */
import { defined } from '@scanflow/booking/defined';
import type { Config } from '@scanflow/config';
import { hostOf } from '../api.ts';

export type State = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly state: State;
  /** What the check found. No secret, no attribute of a patient. */
  readonly message: string;
  /** What to do about it. Every failure has it. */
  readonly todo?: string;
  /** As in docs/failures.md, if there is one. */
  readonly code?: string;
}

export interface Check {
  /** What it looks at, such as `destination pacs`. */
  readonly name: string;
  /** Looks. An error that it throws is a failure. The signal aborts when its time is over. */
  readonly run: (signal: AbortSignal) => Promise<Finding | readonly Finding[]>;
}

export interface Result extends Finding {
  readonly check: string;
}

export const ok = (message: string): Finding => ({ state: 'ok', message });
export const warning = (message: string, todo: string, code?: string): Finding => ({
  state: 'warning',
  message,
  todo,
  ...defined({ code }),
});
export const failed = (message: string, todo: string, code?: string): Finding => ({
  state: 'failed',
  message,
  todo,
  ...defined({ code }),
});
export const skipped = (message: string, todo: string): Finding => ({ state: 'skipped', message, todo });

/** A failure of other code as a finding. Its sentences after the first say what to do. */
export function failure({ code, message }: { readonly code: string; readonly message: string }): Finding {
  const end = /[.!?](?=\s)/.exec(message)?.index;
  const todo = end === undefined ? '' : message.slice(end + 1).trim();
  return failed(
    end === undefined ? message : message.slice(0, end + 1),
    todo === '' ? 'Look into the log there.' : todo,
    code,
  );
}

export const SERVICES = ['cal2wl', 'worklist', 'receiver', 'streamer'] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface Place {
  readonly config: Config;
  /** The service in whose container this runs; undefined: all services can be reached. */
  readonly service: ServiceName | undefined;
  /** Longest time of one check, in milliseconds. */
  readonly timeoutMs: number;
}

/** Whether the files and pages of this service can be reached from here. */
export const sees = ({ service }: Pick<Place, 'service'>, of: ServiceName): boolean =>
  service === undefined || service === of;

/** The address of a page of a service. */
export const pageOf = (
  { config: { http } }: Pick<Place, 'config'>,
  service: ServiceName,
  path: string,
): string => `http://${hostOf(http.bind)}:${http.ports[service]}${path}`;

/** A check that needs a service that does not answer. `which`: what the service does for the check. */
export const cannotAsk = (service: ServiceName, which = 'which knows them'): Finding =>
  skipped(
    `${service === 'cal2wl' ? service : `the ${service}`}, ${which}, cannot be asked`,
    `See secrets and ${service} above.`,
  );

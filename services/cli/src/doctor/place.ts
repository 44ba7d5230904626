/** Where the doctor stands: which configuration, in whose container, and where the services answer. */
import type { Config } from '@scanflow/config';
import { hostOf } from '../api.ts';

export const SERVICES = ['cal2wl', 'worklist', 'receiver', 'streamer'] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface Place {
  readonly config: Config;
  /** The service in whose container this runs; undefined: all of them are reached from here. */
  readonly service: ServiceName | undefined;
  /** Of one check, in milliseconds. */
  readonly timeoutMs: number;
}

/** Whether what belongs to this service can be seen from here. */
export const sees = ({ service }: Pick<Place, 'service'>, of: ServiceName): boolean =>
  service === undefined || service === of;

/** Where a service serves its pages. */
export const pageOf = (
  { config: { http } }: Pick<Place, 'config'>,
  service: ServiceName,
  path: string,
): string => `http://${hostOf(http.bind)}:${http.ports[service]}${path}`;

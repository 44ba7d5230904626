/** The log that this package writes to. Log of packages/runtime fits. No patient attribute is ever given to it. */
export interface DimseLog {
  error(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  info(event: string, fields?: object): void;
  debug(event: string, fields?: object): void;
}

const nothing = (): void => undefined;
export const silent: DimseLog = { error: nothing, warn: nothing, info: nothing, debug: nothing };

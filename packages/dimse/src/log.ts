/** The log that this package writes to. Log of packages/runtime fits. No patient attribute is ever given to it. */
export interface DimseLog {
  error(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  info(event: string, fields?: object): void;
  debug(event: string, fields?: object): void;
}

const nothing = (): void => undefined;
export const silent: DimseLog = { error: nothing, warn: nothing, info: nothing, debug: nothing };

/** What a log may hold of an error: a message may quote a patient's attribute, so only its name, code and place. */
export function safe(error: unknown): { error: string; code?: unknown; at?: string } {
  if (!(error instanceof Error)) return { error: typeof error };
  const at = error.stack?.split('\n').find((line) => /^\s+at /.test(line));
  return {
    error: error.name,
    ...('code' in error ? { code: error.code } : {}),
    ...(at === undefined ? {} : { at: at.trim() }),
  };
}

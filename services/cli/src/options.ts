/** Reading command line options: numbers, addresses, and mistakes in words. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { messageOf } from '@scanflow/failure';
import { UsageError, type Io } from './command.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** node's parseArgs, with its errors as UsageError. */
export function readArgs<T extends Options>(args: readonly string[], options: T, maxPositionals = 0) {
  try {
    const parsed = parseArgs({
      args: [...args],
      options,
      allowPositionals: maxPositionals > 0,
      strict: true,
    });
    if (parsed.positionals.length > maxPositionals)
      throw new UsageError(`one argument too many: ${parsed.positionals[maxPositionals] ?? ''}`);
    return parsed;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(messageOf(error));
  }
}

/** A whole number between min and max, or the given default where the option is absent. */
export function wholeNumber(
  name: string,
  text: string | undefined,
  { min, max, otherwise }: { min: number; max: number; otherwise: number },
): number {
  if (text === undefined) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not ${text}`);
  return value;
}

export interface Address {
  readonly aet: string;
  readonly host: string;
  readonly port: number;
}

/** `AET@host:port`, or `host:port` where a default AE title is given. IPv6 hosts stand in brackets. */
export function address(name: string, text: string, defaultAet?: string): Address {
  const match = /^(?:(?<aet>[^@\\]{1,16})@)?(?<host>\[[^\]]+\]|[^:@\s]+):(?<port>\d{1,5})$/.exec(
    text,
  )?.groups;
  const aet = match?.['aet'] ?? defaultAet;
  const port = Number(match?.['port']);
  if (match === undefined || aet === undefined || port < 1 || port > 65535)
    throw new UsageError(
      `--${name} takes ${defaultAet === undefined ? 'AET@host:port' : 'host:port or AET@host:port'}, not ${text}`,
    );
  return { aet, host: (match['host'] ?? '').replace(/^\[|\]$/g, ''), port };
}

/** The option by which every command that calls a DICOM node takes our AE title. */
export const CALLING = { calling: { type: 'string' } } as const;

/** Our AE title. `former`: the option that was for it in 0.1.0, which goes on working. */
export function callingOf(
  { calling }: { readonly calling?: string | undefined },
  former: { readonly name: string; readonly text: string | undefined },
  { err }: Pick<Io, 'err'>,
  otherwise = 'SCANFLOW',
): string {
  if (former.text !== undefined) {
    if (calling !== undefined)
      throw new UsageError(`--calling and --${former.name} both say our AE title: give --calling`);
    err.write(`--${former.name} is called --calling now; the old name will go with 1.0.\n`);
    return ourAet(former.name, former.text);
  }
  return ourAet('calling', calling ?? otherwise);
}

/** An AE title of ours. */
export function ourAet(name: string, text: string): string {
  if (!/^[^\\\p{C}]{1,16}$/u.test(text))
    throw new UsageError(`--${name} takes an AE title of 1 to 16 characters`);
  return text;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `5m`, `2h` in milliseconds. */
export function duration(name: string, text: string): number {
  const found = /^(?<count>\d{1,6})(?<unit>[smhd])$/.exec(text)?.groups;
  const unit = UNITS[found?.['unit'] ?? ''];
  if (unit === undefined) throw new UsageError(`--${name} takes a time as 90s, 5m or 2h, not ${text}`);
  return Number(found?.['count']) * unit;
}

/** The same above 0. */
export function positive(name: string, text: string): number {
  const ms = duration(name, text);
  if (ms === 0) throw new UsageError(`--${name} takes a time above 0`);
  return ms;
}

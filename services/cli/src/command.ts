/** What a command of `scanflow` is, what it gets in place of the process, and how it reads its options, with mistakes in words. */
import { InputError, messageOf } from '@scanflow/failure';
import { readFile } from 'node:fs/promises';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { defined } from '@scanflow/failure/defined';
import type { Dial } from '@scanflow/dimse';
import { millisecondsOf } from '@scanflow/runtime/time';
import type { Output, Screen } from './terminal.ts';

/** Exit codes. `failed`: done in part, or failed. `notStarted`: usage, configuration, input. */
export const EXIT = { done: 0, failed: 1, notStarted: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Io extends Screen {
  readonly out: Output;
  /** The service in whose container this runs; undefined elsewhere. */
  readonly service?: string | undefined;
  /** Where a command keeps what it needs at its next run; undefined: nowhere. */
  readonly stateFolder?: string;
  /** Aborts on Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** The whole `--help` text, with an example. */
  readonly help: string;
  /** Runs the command. Throws UsageError for wrong arguments. */
  run(args: readonly string[], io: Io): Promise<ExitCode>;
}

/** Wrong arguments. `main.ts` shows the message and --help, and exits with 2. */
export class UsageError extends InputError {
  override name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;

/** The arguments by Node's parseArgs. Throws UsageError for a mistake. */
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

/** A whole number from min to max, or the default if the option is absent. */
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

/** `AET@host:port`, or `host:port` if there is a default AE title. IPv6 hosts are in brackets. */
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

/** The option for our AE title, of every command that calls a DICOM node. */
export const CALLING = { calling: { type: 'string' } } as const;

/** Our AE title. `former`: the option for it in 0.1.0, which still works. */
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

/** A text as AE title of ours. Throws UsageError for one that cannot be. */
export function ourAet(name: string, text: string): string {
  if (!/^[^\\\p{C}]{1,16}$/u.test(text))
    throw new UsageError(`--${name} takes an AE title of 1 to 16 characters`);
  return text;
}

/** Throws UsageError for a text that is no address with http or https. `port`: of the example in its message. */
export function requireHttp(name: string, text: string, port: number): void {
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? ''))
    throw new UsageError(`--${name} takes an address like http://127.0.0.1:${port}, not ${text}`);
}

/** `90s`, `5m`, `2h`, `7d` in milliseconds. */
export function duration(name: string, text: string): number {
  const ms = millisecondsOf(text);
  if (ms === undefined) throw new UsageError(`--${name} takes a time like 90s, 5m or 2h, not ${text}`);
  return ms;
}

/** A time above 0, in milliseconds. */
export function positive(name: string, text: string): number {
  const ms = duration(name, text);
  if (ms === 0) throw new UsageError(`--${name} takes a time above 0`);
  return ms;
}

/** The `--tls…` options of commands that call a DICOM node. */
export const TLS_OPTIONS = {
  tls: { type: 'boolean', default: false },
  'tls-ca': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-profile': { type: 'string' },
  'tls-name': { type: 'string' },
} as const;

type Option = 'tls-ca' | 'tls-cert' | 'tls-key' | 'tls-profile' | 'tls-name';
type TlsValues = { readonly tls: boolean } & { readonly [Name in Option]?: string | undefined };

const GIVEN: readonly Option[] = ['tls-ca', 'tls-cert', 'tls-key', 'tls-profile', 'tls-name'];

/** How to call the node; `{}` without `--tls`. Throws UsageError, or FailureError if the files cannot be used. */
export async function dialOf(values: TlsValues): Promise<{ readonly dial?: Dial }> {
  if (!values.tls) {
    const useless = GIVEN.find((name) => values[name] !== undefined);
    if (useless !== undefined) throw new UsageError(`--${useless} goes with --tls`);
    return {};
  }
  if ((values['tls-cert'] === undefined) !== (values['tls-key'] === undefined))
    throw new UsageError('--tls-cert and --tls-key go together');
  // loaded only with --tls
  const { tlsDial, tlsProfiles } = await import('@scanflow/dimse');
  const credentials = {
    ...(await pem(values, 'tls-ca', 'ca')),
    ...(await pem(values, 'tls-cert', 'certificate')),
    ...(await pem(values, 'tls-key', 'key')),
  };
  const serverName = values['tls-name'];
  const named = {
    profile: profile(tlsProfiles, values['tls-profile']),
    ...defined({ serverName }),
  };
  return { dial: tlsDial({ ...named, credentials: () => credentials }) };
}

async function pem(values: TlsValues, name: Option, as: string): Promise<Record<string, string>> {
  const path = values[name];
  if (path === undefined) return {};
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`--${name}: ${path} cannot be read`);
  });
  return { [as]: text };
}

function profile<Name extends string>(profiles: Readonly<Record<Name, unknown>>, name = 'bcp195'): Name {
  const names = Object.keys(profiles) as Name[];
  const found = names.find((one) => one === name);
  if (found === undefined) throw new UsageError(`--tls-profile takes ${names.join(' or ')}, not ${name}`);
  return found;
}

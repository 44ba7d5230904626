/** The `--tls…` options of commands that call a DICOM node. */
import { readFile } from 'node:fs/promises';
import type { Dial } from '@scanflow/dimse';
import { UsageError } from './command.ts';

export const TLS_OPTIONS = {
  tls: { type: 'boolean', default: false },
  'tls-ca': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-profile': { type: 'string' },
  'tls-name': { type: 'string' },
} as const;

type Option = 'tls-ca' | 'tls-cert' | 'tls-key' | 'tls-profile' | 'tls-name';
export type TlsValues = { readonly tls: boolean } & { readonly [Name in Option]?: string | undefined };

const GIVEN: readonly Option[] = ['tls-ca', 'tls-cert', 'tls-key', 'tls-profile', 'tls-name'];

/** How to call the node; `{}` without `--tls`. Throws UsageError; FailureError where the files cannot be used. */
export async function dialOf(values: TlsValues): Promise<{ readonly dial?: Dial }> {
  if (!values.tls) {
    const useless = GIVEN.find((name) => values[name] !== undefined);
    if (useless !== undefined) throw new UsageError(`--${useless} goes with --tls`);
    return {};
  }
  if ((values['tls-cert'] === undefined) !== (values['tls-key'] === undefined))
    throw new UsageError('--tls-cert and --tls-key go together');
  // loaded only where it is asked for
  const { tlsDial, tlsProfiles } = await import('@scanflow/dimse');
  const credentials = {
    ...(await pem(values, 'tls-ca', 'ca')),
    ...(await pem(values, 'tls-cert', 'certificate')),
    ...(await pem(values, 'tls-key', 'key')),
  };
  const serverName = values['tls-name'];
  const named = {
    profile: profile(tlsProfiles, values['tls-profile']),
    ...(serverName === undefined ? {} : { serverName }),
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

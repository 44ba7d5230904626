/** The options of `scanflow send`, and what they mean. */
import { readFile } from 'node:fs/promises';
import { isTagText, type PrivateTag } from '@scanflow/dicom';
import { tlsDial, tlsProfiles, type Peer, type TlsProfile } from '@scanflow/dimse';
import { UsageError } from '../command.ts';
import { address, type readArgs } from '../options.ts';

export const OPTIONS = {
  to: { type: 'string' },
  from: { type: 'string', default: 'SCANFLOW' },
  tag: { type: 'string' },
  'tag-group': { type: 'string' },
  'tag-creator': { type: 'string' },
  'tag-value': { type: 'string' },
  associations: { type: 'string' },
  'retry-time': { type: 'string', default: '2m' },
  report: { type: 'string' },
  json: { type: 'boolean', default: false },
  tls: { type: 'boolean', default: false },
  'tls-ca': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-profile': { type: 'string' },
  'tls-name': { type: 'string' },
} as const;

export type Values = ReturnType<typeof readArgs<typeof OPTIONS>>['values'];

/** Where to, and how. Throws UsageError; DimseError where the TLS files cannot be used. */
export async function peerOf(values: Values): Promise<Peer> {
  if (values.to === undefined) throw new UsageError('--to AET@host:port says where to send');
  const { host, port, aet } = address('to', values.to);
  if (!/^[^\\\p{C}]{1,16}$/u.test(values.from))
    throw new UsageError('--from takes an AE title of 1 to 16 characters');
  const peer = { host, port, calledAet: aet, callingAet: values.from };
  const given = ['tls-ca', 'tls-cert', 'tls-key', 'tls-profile', 'tls-name'] as const;
  if (!values.tls) {
    const useless = given.find((name) => values[name] !== undefined);
    if (useless !== undefined) throw new UsageError(`--${useless} goes with --tls`);
    return peer;
  }
  if ((values['tls-cert'] === undefined) !== (values['tls-key'] === undefined))
    throw new UsageError('--tls-cert and --tls-key go together');
  const pem = async (
    name: 'tls-ca' | 'tls-cert' | 'tls-key',
    as: string,
  ): Promise<Record<string, string>> => {
    const path = values[name];
    if (path === undefined) return {};
    const text = await readFile(path, 'utf8').catch(() => {
      throw new UsageError(`--${name}: ${path} cannot be read`);
    });
    return { [as]: text };
  };
  const credentials = {
    ...(await pem('tls-ca', 'ca')),
    ...(await pem('tls-cert', 'certificate')),
    ...(await pem('tls-key', 'key')),
  };
  const serverName = values['tls-name'];
  const named = {
    profile: profile(values['tls-profile']),
    ...(serverName === undefined ? {} : { serverName }),
  };
  return { ...peer, dial: tlsDial({ ...named, credentials: () => credentials }) };
}

function profile(name = 'bcp195'): TlsProfile {
  const names = Object.keys(tlsProfiles) as TlsProfile[];
  const found = names.find((one) => one === name);
  if (found === undefined) throw new UsageError(`--tls-profile takes ${names.join(' or ')}, not ${name}`);
  return found;
}

/** The private tag; undefined: none. */
export function tagOf(values: Values): PrivateTag | undefined {
  if (values.tag === 'none') {
    const useless = (['tag-group', 'tag-creator', 'tag-value'] as const).find(
      (name) => values[name] !== undefined,
    );
    if (useless !== undefined) throw new UsageError(`--${useless} does not go with --tag none`);
    return undefined;
  }
  if (values.tag !== undefined) throw new UsageError(`--tag takes none, not ${values.tag}`);
  const group = values['tag-group'] ?? '0021';
  const creator = values['tag-creator'] ?? 'SCANFLOW';
  const value = values['tag-value'] ?? 'DICOM send';
  const number = /^[0-9a-f]{4}$/i.test(group) ? Number.parseInt(group, 16) : 0;
  if (number % 2 === 0 || number < 9 || number === 0xffff)
    throw new UsageError(`--tag-group takes four hexadecimal digits, odd, from 0009 to FFFD, not ${group}`);
  for (const [name, text] of Object.entries({ 'tag-creator': creator, 'tag-value': value }))
    if (!isTagText('LO', text))
      throw new UsageError(
        `--${name} takes 1 to 64 characters of ASCII without \\, and no space at either end`,
      );
  return { group: number, creator, element: 0x10, vr: 'LO', value };
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `5m`, `2h` in milliseconds. */
export function duration(name: string, text: string): number {
  const found = /^(?<count>\d{1,6})(?<unit>[smhd])$/.exec(text)?.groups;
  const unit = UNITS[found?.['unit'] ?? ''];
  if (unit === undefined) throw new UsageError(`--${name} takes a time as 90s, 5m or 2h, not ${text}`);
  return Number(found?.['count']) * unit;
}

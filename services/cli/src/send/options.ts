/** The options of `scanflow send`, and what they mean. */
import { isTagText, type PrivateTag } from '@scanflow/dicom/file';
import type { Peer } from '@scanflow/dimse';
import { UsageError, type Io } from '../command.ts';
import { address, CALLING, callingOf, positive, type readArgs } from '../options.ts';
import { dialOf, TLS_OPTIONS } from '../tls.ts';

export const OPTIONS = {
  to: { type: 'string' },
  ...CALLING,
  from: { type: 'string' },
  tag: { type: 'string' },
  'tag-group': { type: 'string' },
  'tag-creator': { type: 'string' },
  'tag-value': { type: 'string' },
  associations: { type: 'string' },
  'retry-time': { type: 'string', default: '2m' },
  timeout: { type: 'string', default: '60s' },
  journal: { type: 'string' },
  again: { type: 'boolean', default: false },
  report: { type: 'string' },
  json: { type: 'boolean', default: false },
  'orthanc-study': { type: 'string', multiple: true },
  'orthanc-series': { type: 'string', multiple: true },
  orthanc: { type: 'string' },
  'orthanc-user': { type: 'string' },
  'orthanc-password-file': { type: 'string' },
  config: { type: 'string' },
  ...TLS_OPTIONS,
} as const;

export type Values = ReturnType<typeof readArgs<typeof OPTIONS>>['values'];

/** Where to, and how. Throws UsageError; FailureError where the TLS files cannot be used. */
export async function peerOf(values: Values, io: Pick<Io, 'err'>): Promise<Peer> {
  if (values.to === undefined) throw new UsageError('--to AET@host:port says where to send');
  const { host, port, aet } = address('to', values.to);
  const dial = await dialOf(values);
  const callingAet = callingOf(values, { name: 'from', text: values.from }, io);
  return {
    host,
    port,
    calledAet: aet,
    callingAet,
    timeouts: { response: positive('timeout', values.timeout) },
    ...dial,
  };
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

/** The options of `scanflow transfer`, and the two nodes that they name. */
import type { Peer } from '@scanflow/dimse';
import { orthancClient } from '@scanflow/orthanc';
import {
  dicomSource,
  dicomTarget,
  viaSource,
  viaTarget,
  type Source,
  type Target,
} from '@scanflow/transfer/transfer';
import { UsageError } from '../command.ts';
import { address, dialOf, ourAet, positive, requireHttp, TLS_OPTIONS, type readArgs } from '../options.ts';
import { orthancLogin } from '../send/orthanc.ts';

export const OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  calling: { type: 'string', default: 'SCANFLOW' },
  'at-once': { type: 'string' },
  timeout: { type: 'string', default: '10m' },
  wait: { type: 'string', default: '60s' },
  retries: { type: 'string' },
  'retry-time': { type: 'string', default: '2m' },
  journal: { type: 'string' },
  again: { type: 'boolean', default: false },
  report: { type: 'string' },
  json: { type: 'boolean', default: false },
  via: { type: 'string' },
  'orthanc-user': { type: 'string' },
  'orthanc-password-file': { type: 'string' },
  'to-tls': { type: 'boolean', default: false },
  ...TLS_OPTIONS,
} as const;

export type Values = ReturnType<typeof readArgs<typeof OPTIONS>>['values'];

export interface Nodes {
  readonly source: Source;
  readonly target: Target | undefined;
  /** AE title of the target. */
  readonly aet: string;
  readonly close: () => void;
}

/** The nodes that the options name. Throws UsageError, or FailureError if a node or a TLS file cannot be used. */
export async function nodesOf(values: Values, signal: AbortSignal): Promise<Nodes> {
  if (values.from === undefined)
    throw new UsageError('--from AET@host:port says which archive has the studies');
  const quietMs = positive('timeout', values.timeout);
  if (values.via !== undefined) return viaNodes(values, values.via, values.from, quietMs, signal);
  const useless = (['orthanc-user', 'orthanc-password-file'] as const).find(
    (name) => values[name] !== undefined,
  );
  if (useless !== undefined) throw new UsageError(`--${useless} goes with --via`);
  const from = address('from', values.from);
  const callingAet = ourAet('calling', values.calling);
  const peer: Peer = {
    host: from.host,
    port: from.port,
    calledAet: from.aet,
    callingAet,
    ...(await dialOf(values)),
  };
  const { aet, target } = await targetOf(values, callingAet);
  return {
    source: dicomSource({ peer, destination: aet, quietMs }),
    target,
    aet,
    close: () => undefined,
  };
}

/** With an AE title alone, only the archive knows the target, which then cannot be queried. */
async function targetOf(
  values: Values,
  callingAet: string,
): Promise<{ readonly aet: string; readonly target: Target | undefined }> {
  const { to } = values;
  if (to === undefined)
    throw new UsageError(
      '--to AET@host:port says where the images go, by the AE title that the archive knows',
    );
  if (/^[^@:\\\p{C}]{1,16}$/u.test(to)) {
    if (values['to-tls']) throw new UsageError('--to-tls goes with --to AET@host:port');
    return { aet: to, target: undefined };
  }
  const { aet, host, port } = address('to', to);
  const dial = values['to-tls'] ? await dialOf({ ...values, tls: true, 'tls-name': undefined }) : {};
  return { aet, target: dicomTarget({ host, port, calledAet: aet, callingAet, ...dial }) };
}

async function viaNodes(
  values: Values,
  url: string,
  modality: string,
  quietMs: number,
  signal: AbortSignal,
): Promise<Nodes> {
  requireHttp('via', url, 8042);
  if (/[@:]/.test(modality))
    throw new UsageError('with --via, --from takes the name that the archive has in that Orthanc');
  if (values.tls || values['to-tls'])
    throw new UsageError('with --via, Orthanc speaks DICOM: TLS is for its own configuration');
  const client = orthancClient({ url, ...(await orthancLogin(values)) });
  try {
    const system = (await client.json('/system', signal)) as Readonly<Record<string, unknown>>;
    const aet = String(system['DicomAet']);
    if (values.to !== undefined && values.to !== aet)
      throw new UsageError(
        `with --via, the target is that Orthanc, whose AE title is ${aet}; leave --to out`,
      );
    const source = viaSource({ client, modality, aet, quietMs });
    return { source, target: viaTarget(client, aet), aet, close: () => client.close() };
  } catch (error) {
    client.close();
    throw error;
  }
}

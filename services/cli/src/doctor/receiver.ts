/** The receiver: does it run, whose images does it take, and who was refused? */
import type { Config } from '@scanflow/config';
import type { Peer } from '@scanflow/dimse';
import { addressOf } from '../api.ts';
import { failed, ok, skipped, warning, type Check, type Finding } from './finding.ts';
import { judgeHealth } from './health.ts';
import { kindsOf } from './kinds.ts';
import { lookAtNode, timeoutsOf } from './node.ts';
import { askApi, askPage } from './pages.ts';
import { pageOf, sees, type Place } from './place.ts';

export const receiverChecks = (place: Place, version: string): Check[] =>
  sees(place, 'receiver') ? [{ name: 'receiver', run: (signal) => look(place, version, signal) }] : [];

async function look(place: Place, version: string, signal: AbortSignal): Promise<Finding | Finding[]> {
  const url = pageOf(place, 'receiver', '/healthz');
  const page = await askPage(url, signal);
  if ('trouble' in page) {
    const message = `the receiver does not answer at ${url} (${page.trouble})`;
    const todo =
      'docker compose up -d receiver. An Orthanc to which scanners send by themselves answers Success to an image that is sent again after a correction, and drops it (OverwriteInstances false).';
    return place.service === 'receiver' ? failed(message, todo) : warning(message, todo);
  }
  const asked = await askApi(place.config, 'receiver', '/api/senders', signal);
  const senders =
    'trouble' in asked ? [warning(asked.trouble, 'See docs/security.md.')] : judgeSenders(asked.body);
  return [...judgeHealth('receiver', page, version), ...senders];
}

/** Most senders that are named. */
const NAMED = 10;

/** What the receiver says of who sends. Pure. */
export function judgeSenders(body: Readonly<Record<string, unknown>>): Finding[] {
  const [admitted, refused] = [listOf(body['admitted']), listOf(body['refused'])];
  const findings: Finding[] = [];
  if (body['from'] === null)
    findings.push(
      warning(
        `everybody who reaches the receiver may send images${seen(admitted)}`,
        'Enter these under scanners (aet, sends), then set arrivals.from: scanners. docs/install.md, Who may send.',
      ),
    );
  if (refused.length > 0)
    findings.push(
      warning(
        `images were refused${seen(refused)}`,
        'Where one of them is a scanner of yours, enter its AE title under scanners.NAME.sends or arrivals.from.',
      ),
    );
  return findings.length > 0 ? findings : [ok(`it takes images of known senders only${seen(admitted)}`)];
}

interface Sender {
  readonly callingAet: string;
  readonly calledAet: string;
  readonly address: string;
  readonly count: number;
  readonly last: string;
}

const listOf = (value: unknown): readonly Sender[] => (Array.isArray(value) ? (value as Sender[]) : []);

function seen(senders: readonly Sender[]): string {
  if (senders.length === 0) return '';
  const named = senders
    .slice(0, NAMED)
    .map(
      ({ callingAet, calledAet, address, count, last }) =>
        `${callingAet} at ${address} (called ${calledAet}, ${count} times, last ${last})`,
    );
  const more = senders.length > NAMED ? ` and ${senders.length - NAMED} more` : '';
  return `: ${named.join('; ')}${more}`;
}

/** As a scanner, to the receiver's plain port; undefined where no receiver is seen from here, or none runs. */
export async function askReceiver(
  { aet, modality }: Config['scanners'][string],
  place: Place,
  signal: AbortSignal,
): Promise<Finding[] | undefined> {
  if (!sees(place, 'receiver')) return undefined;
  const page = await askPage(pageOf(place, 'receiver', '/healthz'), signal);
  if ('trouble' in page) return undefined;
  const { receiver, worklist } = place.config;
  const { addresses, certificates } = receiver.access[aet] ?? {};
  if (addresses !== undefined || certificates !== undefined)
    return [
      skipped(
        `the receiver takes images of ${aet} only from its own address or with its own certificate (receiver.access)`,
        'Try it at the scanner.',
      ),
    ];
  const peer: Peer = {
    host: addressOf(receiver.bind ?? worklist.bind),
    port: receiver.port,
    calledAet: receiver.aets?.[0] ?? 'SCANFLOW',
    callingAet: aet,
    timeouts: timeoutsOf(place.timeoutMs),
  };
  return lookAtNode(peer, kindsOf([modality]), signal);
}

/** The way in for images and queries: as each scanner, do worklist and Orthanc answer; who sends images, and who was refused? */
import type { Config } from '@scanflow/config';
import type { Peer } from '@scanflow/dimse';
import {
  addressOf,
  failed,
  ok,
  sees,
  skipped,
  warning,
  type Check,
  type Finding,
  type Place,
  failure,
  hostIn,
} from '@scanflow/transfer/doctor/check';
import { kindsOf, lookAtNode, timeoutsOf } from '@scanflow/transfer/doctor/node';
import { messageOf } from '@scanflow/failure';
import { accessOf, systemOf } from '@scanflow/transfer/doctor/orthanc';
import { worklistChecks } from '@scanflow/transfer/doctor/worklist';
import { askApi, askPage } from '../installation.ts';
import { cannotAsk, pageOf } from './results.ts';
import { judgeHealth } from './health.ts';

type Scanner = Config['scanners'][string];

export function scannerChecks(place: Place): Check[] {
  const scanners = Object.entries(place.config.scanners);
  const images =
    sees(place, 'streamer') || sees(place, 'receiver')
      ? scanners.map(([name, scanner]) => ({
          name: `images ${name}`,
          run: async (signal: AbortSignal) =>
            (await askReceiver(scanner, place, signal)) ?? askOrthanc(scanner, place, signal),
        }))
      : [];
  return [...worklistChecks(place), ...images];
}

/** C-ECHO and a proposal at Orthanc's DICOM port, with the scanner's AE title. */
async function askOrthanc(
  { aet, modality }: Scanner,
  { config, timeoutMs, service }: Place,
  signal: AbortSignal,
): Promise<Finding | Finding[]> {
  const system = await accessOf(config, timeoutMs)
    .then((access) => systemOf(access, signal))
    .catch(() => undefined);
  const { DicomAet: calledAet, DicomPort: port } = system ?? {};
  if (typeof calledAet !== 'string' || typeof port !== 'number')
    return skipped('Orthanc does not say its DICOM port', 'See orthanc above.');
  const host = hostIn(new URL(config.orthanc.url[0] ?? ''));
  const timeouts = timeoutsOf(timeoutMs);
  const peer: Peer = { host, port, calledAet, callingAet: aet, timeouts };
  try {
    const findings = await lookAtNode(peer, kindsOf([modality]), signal);
    if (service === 'streamer' && findings.some(({ code }) => code === 'DEST_REJECTED'))
      return skipped(
        'Orthanc takes no images of scanners by itself: they send to the receiver',
        'docker compose exec receiver scanflow doctor',
      );
    return findings.map((finding) => orthancsOwn(finding, aet));
  } catch (error) {
    return failure({ code: 'INTERNAL', message: messageOf(error) });
  }
}

/** A finding about Orthanc's port, whose number may differ outside its container. Pure. */
export function orthancsOwn(finding: Finding, aet: string): Finding {
  const { code, message, state } = finding;
  if (state === 'ok') return finding;
  if (code === 'DEST_UNREACHABLE' || code === 'DEST_CONNECT_TIMEOUT')
    return warning(
      `Orthanc's DICOM port is not reached from here: ${message}`,
      'Try C-ECHO at the scanner. From outside of containers, the port may have another number.',
      code,
    );
  if (code === 'DEST_REJECTED')
    return warning(
      message,
      `Scanners that call as ${aet} may be refused, too: see DicomAlwaysAllowStore, DicomCheckCalledAet and DicomModalities of Orthanc.`,
      code,
    );
  return finding;
}

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
    'trouble' in asked ? [warning(asked.trouble, 'See docs/security.md.')] : judgeCallers(asked.body);
  return [...judgeHealth('receiver', page, version), ...senders];
}

/** Most senders in a message. */
const MOST = 10;

/** Senders in the receiver's /api/senders. Pure. */
function judgeCallers(body: Readonly<Record<string, unknown>>): Finding[] {
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

interface Caller {
  readonly callingAet: string;
  readonly calledAet: string;
  readonly address: string;
  readonly count: number;
  readonly last: string;
}

const listOf = (value: unknown): readonly Caller[] => (Array.isArray(value) ? (value as Caller[]) : []);

function seen(senders: readonly Caller[]): string {
  if (senders.length === 0) return '';
  const named = senders
    .slice(0, MOST)
    .map(
      ({ callingAet, calledAet, address, count, last }) =>
        `${callingAet} at ${address} (called ${calledAet}, ${count} times, last ${last})`,
    );
  const more = senders.length > MOST ? ` and ${senders.length - MOST} more` : '';
  return `: ${named.join('; ')}${more}`;
}

/** C-ECHO and a proposal as a scanner, at the receiver's plain port. Undefined if no receiver can be reached from here. */
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

export const senderChecks = (place: Place): Check[] =>
  sees(place, 'streamer') ? [{ name: 'senders', run: (signal) => lookAtSenders(place, signal) }] : [];

async function lookAtSenders(place: Place, signal: AbortSignal): Promise<Finding> {
  const page = await askApi(place.config, 'streamer', '/api/senders', signal);
  if ('trouble' in page) return cannotAsk('streamer');
  const senders = Array.isArray(page.body['senders']) ? page.body['senders'].flatMap(senderOf) : [];
  return judgeSenders(place.config.arrivals.from, senders);
}

export interface Sender {
  readonly aet: string;
  readonly called: string;
  readonly address: string;
  readonly admitted: boolean;
}

function senderOf(value: unknown): Sender[] {
  if (typeof value !== 'object' || value === null) return [];
  const { aet, called, address, admitted } = value as Readonly<Record<string, unknown>>;
  return typeof aet === 'string' && typeof called === 'string' && typeof address === 'string'
    ? [{ aet, called, address, admitted: admitted === true }]
    : [];
}

/** Senders in the streamer's /api/senders. `from`: `arrivals.from`. Pure. */
export function judgeSenders(from: unknown, senders: readonly Sender[]): Finding {
  const seen = senders.slice(0, MOST).map(textOf).join('; ');
  const more = senders.length > MOST ? `; and ${senders.length - MOST} more` : '';
  const list = senders.length === 0 ? 'nobody sent any yet' : `seen: ${seen}${more}`;
  if (from === undefined)
    return warning(
      `images of any AE title go to projects; ${list}`,
      'Give each scanner the AE titles with which it sends (scanners.NAME.sends), then set arrivals.from: scanners; or arrivals.from: any if that is meant.',
    );
  const refused = senders.filter(({ admitted }) => !admitted);
  if (refused.length === 0) return ok(`all who sent images are known; ${list}`);
  return warning(
    `images of ${refused.slice(0, MOST).map(textOf).join('; ')} are quarantined: arrivals.from does not name them`,
    'If that is a scanner of yours, add the AE title to its sends and restart the streamer.',
  );
}

const textOf = ({ aet, called, address }: Sender): string =>
  [
    aet === '' ? 'no AE title' : aet,
    ...(address === '' ? [] : [`at ${address}`]),
    ...(called === '' ? [] : [`calling ${called}`]),
  ].join(' ');

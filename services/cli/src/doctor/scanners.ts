/** As each scanner: does the worklist answer it, and would Orthanc take its images? */
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import type { Config } from '@scanflow/config';
import { FailureError, messageOf } from '@scanflow/failure';
import { dataSet, sopClasses } from '@scanflow/dicom';
import { echo, find, type Dial, type Peer } from '@scanflow/dimse';
import { accessOf, systemOf } from './orthanc.ts';
import {
  failed,
  failure,
  ok,
  sees,
  skipped,
  warning,
  type Check,
  type Finding,
  type Place,
} from './check.ts';
import { explained, kindsOf, lookAtNode, timeoutsOf } from './node.ts';
import { askReceiver } from './senders.ts';
import { addressOf, hostIn } from '../installation.ts';

type Scanner = Config['scanners'][string];

export function scannerChecks(place: Place): Check[] {
  const scanners = Object.entries(place.config.scanners);
  const worklist = sees(place, 'worklist')
    ? scanners.map(([name, scanner]) => ({
        name: `worklist ${name}`,
        run: (signal: AbortSignal) => askWorklist(scanner, place, signal),
      }))
    : [];
  const images =
    sees(place, 'streamer') || sees(place, 'receiver')
      ? scanners.map(([name, scanner]) => ({
          name: `images ${name}`,
          run: async (signal: AbortSignal) =>
            (await askReceiver(scanner, place, signal)) ?? askOrthanc(scanner, place, signal),
        }))
      : [];
  return [...worklist, ...images];
}

/** Most items to count. */
const MOST = 1_000;

async function askWorklist({ aet }: Scanner, place: Place, signal: AbortSignal): Promise<Finding> {
  const { worklist } = place.config;
  const { tls, access } = worklist;
  const limited = access[aet]?.addresses !== undefined || access[aet]?.certificates !== undefined;
  if (limited)
    return skipped(
      `the worklist answers ${aet} only from its own address or with its own certificate (worklist.access)`,
      'Try it at the scanner.',
    );
  if (tls?.ca !== undefined && tls.requirePeerCertificate !== false)
    return skipped('the worklist requires a certificate that only the scanner has', 'Try it there.');
  const peer: Peer = {
    host: addressOf(worklist.bind),
    port: worklist.port,
    calledAet: worklist.aet,
    callingAet: aet,
    timeouts: timeoutsOf(place.timeoutMs),
    ...(tls === undefined ? {} : { dial: dialOwn(tls.certificate) }),
  };
  const echoed = await echo(peer, signal);
  if (!echoed.ok) return worklistTrouble(echoed.failure, peer);
  const step = { ScheduledStationAETitle: aet, Modality: '', ScheduledProcedureStepStartDate: '' };
  const identifier = dataSet({ AccessionNumber: '', ScheduledProcedureStepSequence: [step] });
  const query = { sopClass: sopClasses.modalityWorklistFind, identifier, limit: MOST };
  const found = await find(peer, query, signal);
  if (!found.ok) return worklistTrouble(found.failure, peer);
  const items = found.matches.length === 1 ? '1 item' : `${found.matches.length} items`;
  return ok(`${worklist.aet} at port ${worklist.port} answers ${aet}: ${items} for it`);
}

function worklistTrouble({ code, message }: { code: string; message: string }, peer: Peer): Finding {
  if (code === 'DEST_REJECTED')
    return failed(
      message.replace(/ Check the AE titles.*/, ''),
      `Restart the worklist: it runs with another configuration than this one. worklist.allow has to admit ${peer.callingAet}.`,
      code,
    );
  const { code: known, ...finding } = explained({ code, message }, peer);
  if (code !== 'DEST_UNREACHABLE') return known === undefined ? finding : { ...finding, code: known };
  return failed(
    finding.message,
    'Start the worklist: docker compose up -d worklist; worklist.port has its port.',
    code,
  );
}

/** To our own port, where only the configured certificate counts. */
function dialOwn(certificateFile: string): Dial {
  return async ({ host, port }, signal) => {
    const { fingerprint256 } = new X509Certificate(await readFile(certificateFile));
    const socket = connect({ host, port, rejectUnauthorized: false });
    try {
      await once(socket, 'secureConnect', { signal });
      if (socket.getPeerX509Certificate()?.fingerprint256 === fingerprint256) return socket;
      throw new FailureError({
        kind: 'transient',
        code: 'TLS_FAILED',
        message:
          'The worklist shows another certificate than worklist.tls.certificate. Look into its log: the renewed one may be unusable.',
      });
    } catch (error) {
      socket.destroy();
      throw error;
    }
  };
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
  const host = hostIn(new URL(config.orthanc.url));
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

/** As each scanner: does the worklist answer it, and would Orthanc take its images? */
import type { Config } from '@scanflow/config';
import { messageOf } from '@scanflow/failure';
import type { Peer } from '@scanflow/dimse';
import {
  failure,
  hostIn,
  sees,
  skipped,
  warning,
  type Check,
  type Finding,
  type Place,
} from '@scanflow/transfer/doctor/check';
import { kindsOf, lookAtNode, timeoutsOf } from '@scanflow/transfer/doctor/node';
import { accessOf, systemOf } from '@scanflow/transfer/doctor/orthanc';
import { worklistChecks } from '@scanflow/transfer/doctor/worklist';
import { askReceiver } from './senders.ts';

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

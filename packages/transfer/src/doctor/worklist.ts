/** As each scanner: does the worklist answer it? */
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { defined, given } from '@scanflow/failure/defined';
import type { Config } from '@scanflow/config';
import { FailureError } from '@scanflow/failure';
import { dataSet, sopClasses } from '@scanflow/dicom';
import { echo, find, type Dial, type Peer } from '@scanflow/dimse';
import { addressOf, failed, ok, sees, skipped, type Check, type Finding, type Place } from './check.ts';
import { explained, timeoutsOf } from './node.ts';

type Scanner = Config['scanners'][string];

export const worklistChecks = (place: Place): Check[] =>
  sees(place, 'worklist')
    ? Object.entries(place.config.scanners).map(([name, scanner]) => ({
        name: `worklist ${name}`,
        run: (signal) => askWorklist(scanner, place, signal),
      }))
    : [];

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
    ...defined({ dial: given(tls, (tls) => dialOwn(tls.certificate)) }),
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

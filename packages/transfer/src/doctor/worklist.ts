/** As each scanner: does the worklist answer it? */
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Config } from '@scanflow/config';
import { FailureError } from '@scanflow/failure';
import { dataSet, sopClasses } from '@scanflow/dicom';
import { echo, find, isAmong, OWN_CALL, type Dial, type Peer } from '@scanflow/dimse';
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
  const { tls, access, proxies } = worklist;
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
    ...(tls === undefined && proxies.length === 0 ? {} : { dial: dialOwn(worklist) }),
  };
  const echoed = await echo(peer, signal);
  if (!echoed.ok) return worklistTrouble(echoed.failure, peer, proxies);
  const step = { ScheduledStationAETitle: aet, Modality: '', ScheduledProcedureStepStartDate: '' };
  const identifier = dataSet({ AccessionNumber: '', ScheduledProcedureStepSequence: [step] });
  const query = { sopClass: sopClasses.modalityWorklistFind, identifier, limit: MOST };
  const found = await find(peer, query, signal);
  if (!found.ok) return worklistTrouble(found.failure, peer, proxies);
  const items = found.matches.length === 1 ? '1 item' : `${found.matches.length} items`;
  return ok(`${worklist.aet} at port ${worklist.port} answers ${aet}: ${items} for it`);
}

function worklistTrouble(
  { code, message }: { code: string; message: string },
  peer: Peer,
  proxies: readonly string[],
): Finding {
  // it takes the connection, and ends it without an answer
  const ended = code === 'DEST_NO_ASSOCIATION' || message.includes('ECONNRESET');
  if (ended && proxies.length > 0)
    return failed(
      message,
      `Run doctor where the worklist runs: docker compose exec worklist scanflow doctor --here. From an address of worklist.proxies (${proxies.join(', ')}), the worklist takes calls only with a header of the PROXY protocol.`,
      code,
    );
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

/** To our own port: as a proxy's own call if it takes us for a proxy. With TLS, only the configured certificate counts. */
function dialOwn({ tls, proxies }: Config['worklist']): Dial {
  const isProxy = isAmong(proxies);
  return async ({ host, port }, signal) => {
    const plain = connectTcp({ host, port, noDelay: true });
    try {
      await once(plain, 'connect', { signal });
      if (isProxy(plain.localAddress ?? '')) plain.write(OWN_CALL);
      if (tls === undefined) return plain;
      const { fingerprint256 } = new X509Certificate(await readFile(tls.certificate));
      const socket = connectTls({ socket: plain, host, rejectUnauthorized: false });
      await once(socket, 'secureConnect', { signal });
      if (socket.getPeerX509Certificate()?.fingerprint256 === fingerprint256) return socket;
      throw new FailureError({
        kind: 'transient',
        code: 'TLS_FAILED',
        message:
          'The worklist shows another certificate than worklist.tls.certificate. Look into its log: the renewed one may be unusable.',
      });
    } catch (error) {
      plain.destroy();
      throw error;
    }
  };
}

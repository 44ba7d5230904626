/** Destinations, by DICOM and by DICOMweb: would they take our images? */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { defined, given } from '@scanflow/failure/defined';
import type { Config } from '@scanflow/config';
import { tlsDial } from '@scanflow/dimse';
import { codeOf, failureIn, messageOf } from '@scanflow/failure';
import { readSecret } from '@scanflow/runtime';
import { failed, failure, hostIn, ok, sees, warning, type Check, type Finding, type Place } from './check.ts';
import { dialOf, kindsOf, lookAtNode, timeoutsOf } from './node.ts';

type Destination = Config['destinations'][string];

export const destinationChecks = (place: Place): Check[] =>
  sees(place, 'streamer')
    ? Object.entries(place.config.destinations).map(([name, destination]) => ({
        name: `destination ${name}`,
        run: (signal) => lookAt(destination, place, signal),
      }))
    : [];

async function lookAt(destination: Destination, place: Place, signal: AbortSignal): Promise<Finding[]> {
  const { host, port, aet, callingAet, tls, url } = destination;
  if (url !== undefined) return [await lookAtWeb(url, destination, place.timeoutMs, signal)];
  if (host === undefined || port === undefined || aet === undefined) return [];
  const timeouts = timeoutsOf(place.timeoutMs);
  try {
    const dial = await dialOf(tls, timeouts.association);
    const peer = { host, port, calledAet: aet, callingAet: callingAet ?? 'SCANFLOW', timeouts, ...dial };
    const kinds = kindsOf(modalitiesFor(destination, place.config));
    return await lookAtNode(peer, kinds, signal, destination.commitment !== undefined);
  } catch (error) {
    return [failed(messageOf(error), 'Correct tls of this destination.', 'TLS_CREDENTIALS')];
  }
}

/** Modalities that go there: those of the scanners, or those in its rule. */
function modalitiesFor({ when }: Destination, { scanners }: Config): string[] {
  const made = Object.values(scanners).map(({ modality }) => modality);
  return when?.modality ?? made;
}

/** Searches for one study by QIDO-RS (PS3.18 10.6). Does not read the answer, which names a patient. */
async function lookAtWeb(
  address: string,
  destination: Destination,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Finding> {
  const url = new URL(`${address.replace(/\/$/, '')}/studies?limit=1`);
  let headers: Record<string, string>;
  try {
    headers = { ...(await authorization(destination)), host: url.host, accept: 'application/dicom+json' };
  } catch (error) {
    return failed(messageOf(error), 'Put it there, readable for the user of the streamer.', 'STOW_SECRET');
  }
  try {
    const status = await ask(url, headers, await socketOf(url, destination, timeoutMs, signal), signal);
    return judgeStatus(status, `${url.origin}${url.pathname}`);
  } catch (error) {
    signal.throwIfAborted();
    return judgeError(error, url.host);
  }
}

async function authorization(destination: Destination): Promise<{ authorization?: string }> {
  const { username, passwordFile, tokenFile } = destination;
  if (tokenFile !== undefined) return { authorization: `Bearer ${await readSecret(tokenFile)}` };
  if (username === undefined || passwordFile === undefined) return {};
  const login = Buffer.from(`${username}:${await readSecret(passwordFile)}`).toString('base64');
  return { authorization: `Basic ${login}` };
}

/** An open TLS connection; undefined for plain HTTP. Throws FailureError TLS_…. */
async function socketOf(
  url: URL,
  { tls }: Destination,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket | undefined> {
  if (url.protocol !== 'https:') return undefined;
  const handshakeMs = timeoutsOf(timeoutMs).association;
  const { dial = tlsDial({ credentials: () => ({}), handshakeMs }) } = await dialOf(tls, handshakeMs);
  return dial({ host: hostIn(url), port: url.port === '' ? 443 : Number(url.port) }, signal);
}

/** The status of the answer. */
async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  socket: Socket | undefined,
  signal: AbortSignal,
): Promise<number> {
  const asked = request({
    host: hostIn(url),
    port: url.port === '' ? 80 : url.port,
    path: `${url.pathname}${url.search}`,
    headers,
    signal,
    ...defined({ createConnection: given(socket, (socket) => () => socket) }),
  });
  asked.on('error', () => undefined);
  asked.end();
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response.statusCode ?? 0;
  } finally {
    asked.destroy();
    socket?.destroy();
  }
}

/** What the status of the search means. Pure. */
export function judgeStatus(status: number, where: string): Finding {
  if (status >= 200 && status < 300) return ok(`${where} answers`);
  if (status === 401 || status === 403)
    return failed(
      `${where} refuses us (${status})`,
      'Correct username and passwordFile, or tokenFile, and see that they may store there.',
      'STOW_DENIED',
    );
  if (status === 404)
    return failed(
      `there is nothing at ${where} (404)`,
      'Correct url: images are posted to /studies below it.',
      'STOW_NOT_THERE',
    );
  if (status >= 300 && status < 400)
    return failed(
      `${where} sends us elsewhere (${status})`,
      'Correct url; a login page may be in between.',
      'STOW_NOT_THERE',
    );
  if (status >= 500 && status !== 501)
    return failed(`${where} answers with an error (${status})`, 'Look into the log there.', 'STOW_ERROR');
  // a server that stores and does not search says so in many ways
  return warning(
    `${where} is reached, and answers a search with ${status}: whether it stores shows with the first image`,
    'Nothing, if it is one that only stores.',
  );
}

function judgeError(error: unknown, host: string): Finding {
  const carried = failureIn(error);
  if (carried !== undefined) return failure(carried);
  const why = codeOf(error);
  if (why === undefined)
    return failed(messageOf(error), 'Correct tls of this destination.', 'TLS_CREDENTIALS');
  return failed(
    `${host} does not answer (${why})`,
    'Check that it runs, url, and the firewall.',
    'DEST_UNREACHABLE',
  );
}

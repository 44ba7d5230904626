/** A DICOM node: connection, TLS, association, C-ECHO, and what it takes. */
import type { Config } from '@scanflow/config';
import { type Failure, messageOf } from '@scanflow/failure';
import { readTlsFiles } from '@scanflow/runtime';
import { accepts, echo, tlsDial, type Dial, type Peer, type Timeouts } from '@scanflow/dimse';
import { failed, failure, warning, type Finding } from './finding.ts';
import { judgeKinds, type Kind } from './kinds.ts';

/** Shorter than the check's own time, so that the step that hangs is named. */
export const timeoutsOf = (timeoutMs: number): Timeouts => {
  const each = Math.max(500, Math.floor(timeoutMs / 3));
  return { connect: each, association: each, response: each, release: Math.min(each, 2_000) };
};

/** Throws an Error that names the file, or says what cannot be used. */
export async function dialOf(
  tls: Config['destinations'][string]['tls'],
  handshakeMs: number,
): Promise<{ readonly dial?: Dial }> {
  if (tls === undefined) return {};
  const { profile, serverName, ...files } = tls;
  const texts = await readTlsFiles(files);
  const named = { profile, handshakeMs, ...(serverName === undefined ? {} : { serverName }) };
  return { dial: tlsDial({ ...named, credentials: () => texts }) };
}

/** Its answer to C-ECHO, then to a proposal of what it is to take. Never rejects. */
export async function lookAtNode(
  peer: Peer,
  kinds: readonly Kind[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const echoed = await echo(peer, signal);
  if (!echoed.ok && echoed.failure.code !== 'NOT_NEGOTIATED') return [explained(echoed.failure, peer)];
  const findings = echoed.ok
    ? []
    : [
        warning(
          `${nameOf(peer)} does not answer C-ECHO`,
          'Have verification turned on there: it shows that it runs.',
        ),
      ];
  try {
    const accepted = await accepts(peer, kinds, signal);
    const took = echoed.ok ? `answers C-ECHO in ${Math.round(echoed.ms)} ms` : 'takes associations';
    return [...findings, judgeKinds(kinds, accepted, `${nameOf(peer)} ${took}`)];
  } catch (error) {
    return [...findings, explained(failureIn(error), peer)];
  }
}

/** The failure of the networking, with what it most likely means. Pure. */
export function explained({ code, message }: Pick<Failure, 'code' | 'message'>, peer: Peer): Finding {
  if (code === 'DEST_REJECTED') {
    if (message.includes('calling AE title not recognized'))
      return failed(
        message.replace(/ Check the AE titles.*/, ''),
        `Have ${peer.callingAet} (callingAet) entered there as a node that may send, with this machine's address.`,
        code,
      );
    if (message.includes('called AE title not recognized'))
      return failed(
        message.replace(/ Check the AE titles.*/, ''),
        `Correct aet: the node there is not called ${peer.calledAet}.`,
        code,
      );
  }
  if (code === 'DEST_UNREACHABLE' && /ENOTFOUND|EAI_AGAIN/.test(message))
    return failed(
      `Nobody here knows the name ${peer.host}`,
      'Correct host, or the name server of this machine.',
      code,
    );
  if (code === 'DEST_UNREACHABLE' && message.includes('ECONNREFUSED'))
    return failed(
      `Nothing listens at ${peer.host}:${peer.port}`,
      'Start the node there, or correct host and port; a firewall may refuse, too.',
      code,
    );
  if (code === 'DEST_NO_ASSOCIATION')
    return failed(
      message,
      'What listens there may be no DICOM node, or want TLS; correct port, or tls.',
      code,
    );
  return failure({ code, message });
}

const nameOf = ({ calledAet, host, port }: Peer): string => `${calledAet} at ${host}:${port}`;

function failureIn(error: unknown): Pick<Failure, 'code' | 'message'> {
  if (error instanceof Error && 'failure' in error) return error.failure as Failure;
  return { code: 'INTERNAL', message: messageOf(error) };
}

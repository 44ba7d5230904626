/** The peer that a requestor talks to, and how the connection to it is made. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FailureError, transient } from '@scanflow/failure';

/** Time limits in milliseconds. */
export interface Timeouts {
  /** Until the TCP connection stands. */
  readonly connect: number;
  /** From A-ASSOCIATE-RQ to its answer. */
  readonly association: number;
  /** From the last byte of a request to its response, between responses, and for the peer to take what is sent. */
  readonly response: number;
  readonly release: number;
}

/** Opens the connection. Rejects when it cannot, or when the signal aborts. TLS is another one of these. */
export type Dial = (target: { host: string; port: number }, signal: AbortSignal) => Promise<Socket>;

export interface Peer {
  readonly host: string;
  readonly port: number;
  readonly calledAet: string;
  readonly callingAet: string;
  readonly timeouts?: Partial<Timeouts>;
  /** Default: plain TCP. */
  readonly dial?: Dial;
}

export const TIMEOUTS: Timeouts = { connect: 10_000, association: 30_000, response: 60_000, release: 10_000 };

export const timeoutsOf = (peer: Peer): Timeouts => ({ ...TIMEOUTS, ...peer.timeouts });

/** `PACS at pacs.example.org:11112`, for messages. */
export const nameOf = (peer: Peer): string => `${peer.calledAet} at ${peer.host}:${peer.port}`;

/** Read at a time from a connection. */
const READ_BYTES = 65_536;

/** Reads into one buffer as long as the connection lasts; otherwise Node.js makes one for each read. Listeners copy what they keep. */
const plain: Dial = async ({ host, port }, signal) => {
  const socket: Socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (count, bytes) => socket.emit('data', bytes.subarray(0, count)),
    },
  });
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
};

/** Connects; throws FailureError, transient: a peer that is down or misconfigured comes back without our doing. */
export async function dial(peer: Peer, signal?: AbortSignal): Promise<Socket> {
  const limit = AbortSignal.timeout(timeoutsOf(peer).connect);
  const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  try {
    either.throwIfAborted();
    return await (peer.dial ?? plain)(peer, either);
  } catch (error) {
    if (signal?.aborted === true) throw cancelled(error);
    if (error instanceof FailureError) throw error;
    const late = limit.aborted;
    const why = late ? `no connection within ${timeoutsOf(peer).connect} ms` : reasonOf(error);
    const hint =
      (late ? undefined : hintOf(peer, why)) ?? 'Check that it runs, its address and the firewall.';
    throw new FailureError(
      transient(
        late ? 'DEST_CONNECT_TIMEOUT' : 'DEST_UNREACHABLE',
        `Cannot connect to ${nameOf(peer)}: ${why}. ${hint}`,
      ),
      error,
    );
  }
}

/** What the system's error means, for a person. */
function hintOf({ host, port }: Peer, code: string): string | undefined {
  switch (code) {
    case 'ENOTFOUND':
      return `No host is called ${host}: check the spelling, and that this machine's name server knows it.`;
    case 'EAI_AGAIN':
      return `The name server does not answer, so ${host} cannot be found: check this machine's network.`;
    case 'ECONNREFUSED':
      return `Nothing listens on port ${port} there, or a firewall refuses: check the port, and that it runs.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'There is no way to that address: check it, and the network of this machine.';
    default:
      return undefined;
  }
}

export const cancelled = (cause?: unknown): FailureError =>
  new FailureError(
    transient('CANCELLED', 'It was cancelled before it was done; it can be tried again.'),
    cause,
  );

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

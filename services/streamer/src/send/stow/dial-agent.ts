/** HTTP over connections that are dialled as DICOM's are: TLS by the same profiles, with the same failures. */
import { once } from 'node:events';
import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Dial } from '@scanflow/dimse';

/** One connection at a time, kept for a while. */
const KEPT: AgentOptions = { keepAlive: true, maxSockets: 1 };

export const plainDial: Dial = async ({ host, port }, signal) => {
  const socket = connect({ host, port, noDelay: true });
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
};

export class DialAgent extends Agent {
  /** Node asks an agent which protocol it is for. */
  readonly protocol: string;
  readonly #open: () => Promise<Socket>;

  /** `connectMs`: longest time until the connection stands. */
  constructor({ hostname, port, protocol }: URL, dial: Dial, connectMs: number) {
    super(KEPT);
    this.protocol = protocol;
    // an address of IPv6 stands in brackets in a URL
    const host = hostname.replace(/^\[|\]$/g, '');
    const target = { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
    this.#open = () => dial(target, AbortSignal.timeout(connectMs));
  }

  override createConnection(
    _options: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null {
    this.#open().then(
      (socket) => done?.(null, socket),
      // Node's types know no callback without a stream
      (error: unknown) => (done as ((error: Error) => void) | undefined)?.(asError(error)),
    );
    return null;
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

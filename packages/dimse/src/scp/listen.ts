/** Listens for associations: the SCP's front door. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Gate } from './gate.ts';
import { Session } from './session.ts';
import { LIMITS, type ScpOptions } from './types.ts';

export interface Listening {
  readonly port: number;
  /** Takes no more connections, lets running requests finish within `closeMs`, ends all. */
  close(): Promise<void>;
}

/** Listens where it is told. Rejects with the system's error, such as EADDRINUSE. Nothing that a peer does throws. */
export async function listen(options: ScpOptions): Promise<Listening> {
  const limits = { ...LIMITS, ...options.limits };
  const gate = new Gate<Session>(limits);
  let count = 0;
  const onSocket = (socket: Socket): void => {
    const address = socket.remoteAddress;
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const { refuse, full } = gate.makeRoom(address);
    if (full !== undefined) {
      options.log.warn('connection.limit', { address, limit: full, refused: refuse });
      options.events?.refused?.(address, full);
    }
    if (refuse) {
      socket.destroy();
      return;
    }
    count += 1;
    const session = new Session(socket, count, options, limits);
    gate.guests.add(session);
    void session.run().then(() => gate.guests.delete(session));
  };
  const server = (options.createServer ?? createServer)(onSocket);
  server.listen(options.port, options.bind);
  await once(server, 'listening');
  server.on('error', (error) => options.log.error('server.error', { error: error.name }));
  let closing: Promise<void> | undefined;
  return { port: portOf(server), close: () => (closing ??= close(server, gate, limits.closeMs)) };
}

async function close(server: Server, gate: Gate<Session>, ms: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await Promise.all([...gate.guests].map((session) => session.close(ms)));
  for (const session of gate.guests) session.evict();
  await closed;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port was bound');
  return address.port;
}

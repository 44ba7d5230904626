/** Listens for associations: the SCP's front door. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Budget } from './budget.ts';
import type { NoRoom } from './types.ts';
import { Gate, type Guest } from './gate.ts';
import { Handshake } from './handshake.ts';
import { Connection } from './connection.ts';
import { Turns } from './turns.ts';
import { LIMITS, type ScpOptions } from './types.ts';

/**
 * Connections that the kernel holds until we accept them. Node.js asks for 511: a crowd of more cost the next scanner
 * a second, until its TCP sent its SYN again. Linux takes the smaller of this and `net.core.somaxconn` (4,096).
 */
const BACKLOG = 4096;

export interface Listening {
  readonly port: number;
  /** Takes no more connections, lets running requests finish within `closeMs`, ends all. */
  readonly close: () => Promise<void>;
}

/** Listens at the given address. Rejects with the system's error, such as EADDRINUSE. Nothing that a peer does throws. */
export async function listen(options: ScpOptions): Promise<Listening> {
  const limits = { ...LIMITS, ...options.limits };
  const gate = new Gate<Closable>(limits);
  const budget = new Budget(limits);
  const turns = new Turns();
  let count = 0;
  const start = (socket: Socket): void => {
    count += 1;
    const address = socket.remoteAddress ?? '';
    const room = budget.open(address, (limit) => reportNoRoom(options, address, limit));
    const connection = new Connection(socket, { id: count, options, limits, room, turns });
    gate.guests.add(connection);
    void connection.run().then(() => gate.guests.delete(connection));
  };
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
    if (options.tls === undefined) {
      start(socket);
      return;
    }
    const handshake = new Handshake(socket);
    gate.guests.add(handshake);
    void handshake.run(options).then((secured) => {
      gate.guests.delete(handshake);
      if (secured !== undefined) start(secured);
    });
  };
  const server = createServer(onSocket);
  server.listen({ port: options.port, host: options.bind, backlog: BACKLOG });
  await once(server, 'listening');
  server.on('error', (error) => options.log.error('server.error', { error: error.name }));
  let closing: Promise<void> | undefined;
  return { port: portOf(server), close: () => (closing ??= close(server, gate, limits.closeMs)) };
}

function reportNoRoom({ log, events }: ScpOptions, address: string, limit: NoRoom): void {
  log.warn('message.no-room', { address, limit });
  events?.refused?.(address, limit);
}

interface Closable extends Guest {
  close(ms: number): Promise<void>;
}

async function close(server: Server, gate: Gate<Closable>, ms: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await Promise.all([...gate.guests].map((connection) => connection.close(ms)));
  for (const connection of gate.guests) connection.evict();
  await closed;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port was bound');
  return address.port;
}

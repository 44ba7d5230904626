/** Listens for associations: the SCP's front door, its TLS handshakes, and who may stay connected. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Budget, Turns } from './fairness.ts';
import { Connection } from './connection.ts';
import { readProxyHeader } from './proxied.ts';
import { LIMITS, type NoRoom, type ScpOptions, type ScpLimits } from './types.ts';

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
  const gate = new Gate(limits);
  const door = { options, limits, gate, start: starter(options, limits, gate) };
  const server = createServer((socket) => {
    const address = socket.remoteAddress;
    if (address === undefined) socket.destroy();
    else if (options.proxies?.(address) === true) onProxy(socket, address, door);
    else onClient(socket, address, door);
  });
  server.listen({ port: options.port, host: options.bind, backlog: BACKLOG });
  await once(server, 'listening');
  server.on('error', (error) => options.log.error('server.error', { error: error.name }));
  let closing: Promise<void> | undefined;
  return { port: portOf(server), close: () => (closing ??= close(server, gate, limits.closeMs)) };
}

type Start = (socket: Socket, address: string) => void;

interface Door {
  readonly options: ScpOptions;
  readonly limits: ScpLimits;
  readonly gate: Gate;
  readonly start: Start;
}

function starter(options: ScpOptions, limits: ScpLimits, { guests }: Gate): Start {
  const budget = new Budget(limits);
  const turns = new Turns();
  let count = 0;
  return (socket, address) => {
    count += 1;
    const room = budget.open(address, (limit) => reportNoRoom(options, address, limit));
    const connection = new Connection(socket, { id: count, address, options, limits, room, turns });
    guests.add(connection);
    void connection.run().then(() => guests.delete(connection));
  };
}

/** Whether it may stay; otherwise it is gone. */
function enters(socket: Socket, address: string, { options, gate }: Door): boolean {
  const { refuse, full } = gate.makeRoom(address);
  if (full !== undefined) {
    options.log.warn('connection.limit', { address, limit: full, refused: refuse });
    options.events?.refused?.(address, full);
  }
  if (refuse) socket.destroy();
  return !refuse;
}

function onClient(socket: Socket, address: string, door: Door): void {
  const { options, gate, start } = door;
  if (!enters(socket, address, door)) return;
  if (options.tls === undefined) {
    start(socket, address);
    return;
  }
  const handshake = new Arrival(socket, address);
  gate.guests.add(handshake);
  void handshake.secure(options).then((secured) => {
    gate.guests.delete(handshake);
    if (secured !== undefined) start(secured, address);
  });
}

function onProxy(socket: Socket, proxy: string, door: Door): void {
  const { options, limits, gate } = door;
  if (!enters(socket, proxy, door)) return;
  const arrival = new Arrival(socket, proxy);
  gate.guests.add(arrival);
  void arrival.clientOf(options, limits.artimMs).then((address) => {
    gate.guests.delete(arrival);
    if (address !== undefined) onClient(socket, address, door);
  });
}

function reportNoRoom({ log, events }: ScpOptions, address: string, limit: NoRoom): void {
  log.warn('message.no-room', { address, limit });
  events?.refused?.(address, limit);
}

async function close(server: Server, gate: Gate, ms: number): Promise<void> {
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

interface Guest {
  readonly address: string;
  /** No association yet: it may be sent away. */
  readonly silent: boolean;
  /** Since when its association has no request, by performance.now(); undefined while it has one. */
  readonly idleSince: number | undefined;
  /** Since when it has begun a message without finishing it, by performance.now(). */
  readonly unfinishedSince: number | undefined;
  /** Sends it away. */
  evict(): void;
  /** Lets running requests finish, for at most `ms` milliseconds, then ends it. */
  close(ms: number): Promise<void>;
}

/** A connection before its association: its proxy says for whom it is, or it does its TLS handshake. A silent guest like any other. */
class Arrival implements Guest {
  readonly address: string;
  readonly silent = true;
  readonly idleSince = undefined;
  readonly unfinishedSince = undefined;
  readonly #socket: Socket;

  constructor(socket: Socket, address: string) {
    this.#socket = socket;
    this.address = address;
  }

  evict(): void {
    this.#socket.destroy();
  }

  close(): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }

  /** For whom the proxy opened it: itself, where it says so. Undefined where it did not say, which is logged. Never rejects. */
  async clientOf({ log, events }: ScpOptions, ms: number): Promise<string | undefined> {
    const header = await readProxyHeader(this.#socket, ms);
    if (typeof header === 'object') return header.address ?? this.address;
    this.#socket.destroy();
    // a load balancer only looked whether the port is open, or we closed the connection
    if (header === 'gone') return undefined;
    const why = 'a proxy has to begin with a header of the PROXY protocol. HAProxy: send-proxy-v2';
    log.warn('connection.proxy-failed', { address: this.address, why });
    events?.refused?.(this.address, 'proxy');
    return undefined;
  }

  /** The secured connection; undefined where the handshake failed, which is logged. Never rejects. */
  async secure({ tls, log, events }: ScpOptions): Promise<Socket | undefined> {
    if (tls === undefined) return this.#socket;
    const secured = await tls.secure(this.#socket);
    if (secured.ok) return secured.socket;
    const { code, what, hint } = secured.problem;
    log.warn('connection.tls-failed', { address: this.address, code, why: `${what}. ${hint}` });
    events?.refused?.(this.address, 'tls');
    return undefined;
  }
}

/** A query is whole within milliseconds; a report of many images may take longer, where there is room for all. */
const UNFINISHED_MS = 1_000;

/**
 * Who may stay connected: bounds in total and per peer. A silent connection gives way to a new one, then one with a message
 * that it does not finish, then an idle one.
 */
class Gate {
  readonly guests = new Set<Guest>();
  readonly #total: number;
  readonly #perPeer: number;
  readonly #yieldMs: number;

  constructor(limits: Pick<ScpLimits, 'connections' | 'connectionsPerPeer' | 'yieldMs'>) {
    this.#total = limits.connections;
    this.#perPeer = limits.connectionsPerPeer;
    this.#yieldMs = limits.yieldMs;
  }

  /**
   * Makes room for a connection from `address`, by sending away the longest silent one where the bound is reached; else
   * the one whose message has been unfinished for longest; else the association that has been idle for longest.
   * `refuse`: there is none of them. `full` tells which bound it was.
   */
  makeRoom(address: string): { refuse: boolean; full?: 'total' | 'per peer' } {
    const neighbours = [...this.guests].filter((guest) => guest.address === address);
    if (neighbours.length >= this.#perPeer) return this.#evictFrom(neighbours, 'per peer');
    if (this.guests.size >= this.#total) return this.#evictFrom([...this.guests], 'total');
    return { refuse: false };
  }

  /** Sets iterate in the order of arrival. */
  #evictFrom(
    guests: readonly Guest[],
    full: 'total' | 'per peer',
  ): { refuse: boolean; full: 'total' | 'per peer' } {
    const leaving =
      guests.find((guest) => guest.silent) ??
      longest(guests, ({ unfinishedSince }) => unfinishedSince, UNFINISHED_MS) ??
      longest(guests, ({ idleSince }) => idleSince, this.#yieldMs);
    if (leaving === undefined) return { refuse: true, full };
    this.guests.delete(leaving);
    leaving.evict();
    return { refuse: false, full };
  }
}

/** The guest for which something has been so for longest, where that is at least `ms` milliseconds. */
function longest(
  guests: readonly Guest[],
  sinceOf: (guest: Guest) => number | undefined,
  ms: number,
): Guest | undefined {
  const since = (guest: Guest): number => sinceOf(guest) ?? Infinity;
  const [first, ...others] = guests;
  if (first === undefined) return undefined;
  const found = others.reduce((one, other) => (since(other) < since(one) ? other : one), first);
  return performance.now() - since(found) >= ms ? found : undefined;
}

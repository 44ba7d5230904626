/** A connection that does its TLS handshake: a guest like any other, and a silent one until it is done. */
import type { Socket } from 'node:net';
import type { Guest } from './gate.ts';
import type { ScpOptions } from './types.ts';

export class Handshake implements Guest {
  readonly address: string;
  readonly silent = true;
  readonly idleSince = undefined;
  readonly unfinishedSince = undefined;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.address = socket.remoteAddress ?? '';
  }

  evict(): void {
    this.#socket.destroy();
  }

  close(): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }

  /** The secured connection; undefined where the handshake failed, which is logged. Never rejects. */
  async run({ tls, log, events }: ScpOptions): Promise<Socket | undefined> {
    if (tls === undefined) return this.#socket;
    const secured = await tls.secure(this.#socket);
    if (secured.ok) return secured.socket;
    const { code, what, hint } = secured.problem;
    log.warn('connection.tls-failed', { address: this.address, code, why: `${what}. ${hint}` });
    events?.refused?.(this.address, 'tls');
    return undefined;
  }
}

/** Why a TLS connection came to nothing. Without TLS itself: who never speaks it need not load it. */
import type { Socket } from 'node:net';
import { type Failure, transient } from '@scanflow/failure';
import { codeOf, tlsProblem } from './problem.ts';

/** Errors of connections that came after the handshake, where TLS 1.3 tells what became of our certificate. */
const afterwards = new WeakMap<Socket, string>();

/** Keeps what a TLS connection that stood broke of. */
export function broke(socket: Socket, error: unknown): void {
  afterwards.set(socket, codeOf(error) ?? '');
}

/** Why a TLS connection that stood came to nothing; undefined where TLS had no part in it. */
export function tlsFailureAfterwards(socket: Socket, peer: string): Failure | undefined {
  return tlsFailure(afterwards.get(socket), peer);
}

/** Of an error's code; undefined where it is none of TLS. */
export function tlsFailure(code: string | undefined, peer: string): Failure | undefined {
  const found = tlsProblem(code);
  return found === undefined
    ? undefined
    : transient(found.code, `No TLS connection with ${peer}: ${found.what}. ${found.hint}`);
}

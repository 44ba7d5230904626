/** Child processes of tests, started with captured output and ended by their pid; free ports and HTTP servers; and waits for conditions. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { defined } from '@scanflow/failure/defined';
import { headersOf, tokenFileOf } from '@scanflow/runtime';

/** Programs of ours start in half the time, and take 24 MB less, once their code was compiled. `bin/scanflow` uses the same folder. */
const COMPILED = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, '../../../node_modules/.cache/scanflow'),
};

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Longest life in milliseconds (60 s). */
  readonly timeoutMs?: number;
}

/** Runs a program to its end; never throws for its exit code, only when it cannot start or takes too long. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env = {}, timeoutMs = 60_000 }: RunOptions = {},
): Promise<RunResult> {
  const child = spawn(program, [...args], {
    ...defined({ cwd }),
    env: { ...COMPILED, ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  const result = { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
  if (signal === 'SIGKILL') throw new Error(`${program} took longer than ${timeoutMs} ms: ${result.stderr}`);
  return result;
}

export interface Program {
  readonly pid: number;
  /** Everything it has written so far (stdout and stderr); the last 256 KiB of it. */
  output(): string;
  /** Waits up to 10 s until its output matches: a line reaches the pipe later than the answer that it belongs to. */
  said(pattern: RegExp): Promise<void>;
  exited(): boolean;
  /** Sends the signal and waits for its end; SIGKILL after `graceMs` (10 s). */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
  /** Resolves with the exit code, null where a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Starts a program that stays. */
export async function startProgram(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: RunOptions = {},
): Promise<Program> {
  const child = spawn(program, [...args], {
    ...defined({ cwd }),
    env: { ...COMPILED, ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-262_144);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  // should this process be ended without its leave, what it started goes with it
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  void ended.then(() => process.off('exit', kill));
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} did not start`);
  const exited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM', graceMs = 10_000): Promise<void> => {
    if (!exited()) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
  };
  const said = async (pattern: RegExp): Promise<void> => {
    const matches = (): boolean => pattern.test(output);
    await until(matches, { what: `it writes ${String(pattern)}`, timeoutMs: 10_000 });
  };
  return { pid, output: () => output, said, exited, stop, ended };
}

/** Lets a server listen on a free port of 127.0.0.1; resolves with the port. */
export async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Beneath the ports that Linux gives to outgoing connections (32768 and up): none of them takes one before its server starts. */
const [FIRST_PORT, LAST_PORT] = [20_000, 32_767];
/** Processes that start one after the other begin so many ports apart. */
const APART = 41;

/** Ports of one process, each once, in turn. */
function* portsInTurn(): Generator<number, never> {
  const all = LAST_PORT - FIRST_PORT + 1;
  for (let at = process.pid * APART; ; at += 1) yield FIRST_PORT + (at % all);
}
const ports = portsInTurn();

/** A port of 127.0.0.1 that was free a moment ago, and that this process gets no second time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ports.next().value;
    const server = createServer();
    const listening = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(port, '127.0.0.1');
    if (!(await listening)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

export interface UntilOptions {
  /** What is waited for: it stands in the error. */
  readonly what: string;
  /** Longest wait in milliseconds. */
  readonly timeoutMs: number;
  /** Pause between two looks in milliseconds. */
  readonly everyMs?: number;
}

/** Looks until `check` gives something other than undefined or false; throws with `what` when time is up. */
export async function until<T>(
  check: () => Promise<T | undefined | false> | T | undefined | false,
  { what, timeoutMs, everyMs = 20 }: UntilOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await pause(everyMs);
  }
}

/** Starts a server on loopback, until the test ends; resolves with its address, such as `http://127.0.0.1:1234`. */
export async function httpServer(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createHttpServer(answer);
  const port = await listenOnLoopback(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

/** Fetches with the internal token of a service. `data`: its data folder; its configuration has no `http.tokenFile`. */
export async function apiFetch(data: string, url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  // a service that has not started has made no token, and does not answer
  const token = await headersOf(tokenFileOf({ data, http: {} })).catch(() => undefined);
  if (token !== undefined) headers.set('authorization', token.authorization);
  return fetch(url, { ...init, headers });
}

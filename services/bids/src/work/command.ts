/** Runs a program without a shell, in a process group of its own, with a time limit, bounded output and a minimal environment. */
import { spawn, type ChildProcess } from 'node:child_process';
import { codeOf, FailureError, messageOf, permanent, transient } from '@scanflow/failure';
import { signalGroup, watchOver } from '@scanflow/runtime';

export interface Run {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Of each stream no more is kept; what comes after is dropped. */
  readonly outputLimit: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** A stream had more than the limit. */
  readonly cut: boolean;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;

/** Codes of the failures of one program. */
export interface RunCodes {
  readonly name: string;
  readonly missing: string;
  readonly timeout: string;
}

/** Rejects with FailureError where the program cannot be started or takes too long, and with the signal's reason where we stop. */
export async function runProgram(run: Run, codes: RunCodes, signal: AbortSignal): Promise<Ran> {
  signal.throwIfAborted();
  const [program = '', ...args] = run.command;
  const child = spawn(program, args, {
    cwd: run.cwd,
    detached: true,
    shell: false,
    // one thread of OpenMP: the same order of work each time
    env: { PATH, LANG: 'C.UTF-8', HOME: run.cwd, TZ: 'UTC', ...run.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const outputs = [keep(child.stdout, run.outputLimit), keep(child.stderr, run.outputLimit)] as const;
  const watch = watchOver(child, { timeoutMs: run.timeoutMs, graceMs: GRACE_MS }, signal);
  try {
    await ended(child);
  } catch (error) {
    throw new FailureError(cannotStart(codes, program, error), error);
  } finally {
    watch.stop();
    // nothing of it goes on in the background
    signalGroup(child, 'SIGKILL');
  }
  signal.throwIfAborted();
  if (watch.timedOut())
    throw new FailureError(
      transient(
        codes.timeout,
        `${codes.name} took longer than ${run.timeoutMs / 1000} s and was ended. Look why it hangs, or give it more time.`,
      ),
    );
  const [stdout, stderr] = outputs.map((one) => one.text()) as [string, string];
  return {
    code: child.exitCode,
    signal: child.signalCode,
    stdout,
    stderr,
    cut: outputs.some((one) => one.cut()),
  };
}

const cannotStart = ({ name, missing }: RunCodes, program: string, error: unknown) =>
  permanent(
    missing,
    `${name} cannot be started as "${program}" (${codeOf(error) ?? messageOf(error)}). Install it, or correct its command.`,
  );

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
    // a process that it left behind may hold its output open
    child.once('exit', () => signalGroup(child, 'SIGKILL'));
  });
}

function keep(stream: NodeJS.ReadableStream, limit: number): { text: () => string; cut: () => boolean } {
  const chunks: Buffer[] = [];
  let [left, cut] = [limit, false];
  stream.on('data', (chunk: Buffer) => {
    if (chunk.length > left) cut = true;
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left = Math.max(0, left - chunk.length);
  });
  return { text: () => Buffer.concat(chunks).toString(), cut: () => cut };
}

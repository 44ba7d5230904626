/** How a hook gets an event: a command runs, or an address gets a signed POST. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { type Failure, codeOf, messageOf, permanent, transient } from '@scanflow/failure';
import { signalGroup, sleep, watchOver, readSecret } from '@scanflow/runtime';
import { defined, given } from '@scanflow/failure/defined';
import { createHmac } from 'node:crypto';
import { Tail, type HookOutcome, OUTPUT_BYTES } from './plan.ts';
import { retryAfterMs } from '../work/pace.ts';

export interface CommandRun {
  /** Absolute path of the program, and its arguments. */
  readonly command: readonly string[];
  /** Added to PATH and LANG. The command gets nothing else of our environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Written to standard input. */
  readonly input: string;
  readonly timeoutMs: number;
  /** Time from SIGTERM to SIGKILL; 5 s if absent. */
  readonly graceMs?: number;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 5_000;
/** Longest wait for output of processes that the command left in the background. */
const LINGER_MS = 500;

/** Never throws. */
export async function runCommand(run: CommandRun, signal: AbortSignal): Promise<HookOutcome> {
  const stopped = (): boolean => signal.aborted;
  if (stopped()) return { kind: 'interrupted' };
  const tail = new Tail();
  let child: ChildProcess;
  try {
    child = start(run, (chunk) => tail.add(chunk));
  } catch (error) {
    return { kind: 'failed', failure: cannotStart(error), output: '' };
  }
  const { timeoutMs, graceMs = GRACE_MS } = run;
  const watch = watchOver(child, { timeoutMs, graceMs }, signal);
  const end = await endOf(child);
  watch.stop();
  const output = tail.text();
  if ('error' in end) return { kind: 'failed', failure: cannotStart(end.error), output };
  const failure = watch.timedOut() ? timedOut(timeoutMs) : failureOfEnd(end);
  if (failure === undefined) return { kind: 'done', output };
  return stopped() ? { kind: 'interrupted' } : { kind: 'failed', failure, output };
}

/** Throws for arguments that no program can have. A missing program shows as an event. */
function start({ command, environment, input }: CommandRun, keep: (chunk: Uint8Array) => void): ChildProcess {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    // its own group, so that all of its processes can be ended
    detached: true,
    shell: false,
    cwd: '/',
    env: { PATH, LANG: 'C.UTF-8', HOME: '/tmp', ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.on('error', () => undefined);
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  // it may ignore its input
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return child;
}

type End =
  { readonly code: number | null; readonly signal: NodeJS.Signals | null } | { readonly error: Error };

/** Resolves when the command has ended and its output has come. Ends what it left in the background, too. */
async function endOf(child: ChildProcess): Promise<End> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  const error = await new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve);
    child.once('exit', () => resolve(undefined));
  });
  if (child.pid === undefined) return { error: error ?? new Error('it did not start') };
  const linger = setTimeout(() => {
    signalGroup(child, 'SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, LINGER_MS);
  await closed;
  clearTimeout(linger);
  return { code: child.exitCode, signal: child.signalCode };
}

function failureOfEnd({ code, signal }: Exclude<End, { error: Error }>): Failure | undefined {
  if (code === 0) return undefined;
  return signal === null
    ? transient('HOOK_EXIT', `The hook's command ended with exit code ${code}. Its output says why.`)
    : transient(
        'HOOK_KILLED',
        `The hook's command was ended by ${signal}. Its output may say why; look at its memory.`,
      );
}

const timedOut = (ms: number): Failure =>
  transient(
    'HOOK_TIMEOUT',
    `The hook's command took longer than ${ms / 1000} s and was ended. Give it more time by its timeout, or look why it hangs.`,
  );

function cannotStart(error: unknown): Failure {
  const code = codeOf(error) ?? messageOf(error);
  const advice = 'Check that the program is there, in the container too, and may be run by this user.';
  const message = `The hook's command cannot be started (${code}). ${advice}`;
  return code === 'E2BIG' ? permanent('HOOK_CANNOT_START', message) : transient('HOOK_CANNOT_START', message);
}

/** A process that survives SIGKILL hangs in the kernel, or belongs to another user. */
const GIVE_UP_MS = 10_000;
const LOOK_MS = 100;

/**
 * Ends every process of this machine (in a container: of the container) that has all of these variables in the environment
 * it was started with. They are passed on to whatever a process starts, and nothing has to be written down before: not
 * even a start that was interrupted half-way is missed. A failure where something does not end; undefined where nothing is left, or we are stopped.
 */
export async function endLeftovers(
  marks: Readonly<Record<string, string>>,
  signal: AbortSignal,
  graceMs = GRACE_MS,
): Promise<Failure | undefined> {
  const began = performance.now();
  const asked = new Set<number>();
  for (;;) {
    const left = await marked(marks);
    const waited = performance.now() - began;
    if (left.length === 0 || signal.aborted) return undefined;
    if (waited > graceMs + GIVE_UP_MS) return stillRunning(left);
    for (const pid of left) {
      if (waited > graceMs) send(pid, 'SIGKILL');
      else if (!asked.has(pid)) send(pid, 'SIGTERM');
      asked.add(pid);
    }
    await sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

const stillRunning = (pids: readonly number[]): Failure =>
  transient(
    'HOOK_STILL_RUNNING',
    `An earlier run of the hook's command is still there and cannot be ended (process ${pids.join(', ')}). End it by hand; the hook is run again.`,
  );

/** Where there is no /proc, nothing is found. A process that has ended and is not yet collected has no environment. */
async function marked(marks: Readonly<Record<string, string>>): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  const wanted = Object.entries(marks).map(([name, value]) => Buffer.from(`\0${name}=${value}\0`));
  const found: number[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    // it may have ended by now, and that of other users is not for us to read
    const environment = await readFile(`/proc/${name}/environ`).catch(() => Buffer.alloc(0));
    const framed = Buffer.concat([Buffer.of(0), environment, Buffer.of(0)]);
    if (environment.length > 0 && wanted.every((one) => framed.includes(one))) found.push(Number(name));
  }
  return found;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile, or may not be ended by us: the next look tells
  }
}

// Delivers an event to an address: POSTs signed JSON, and judges every answer.

export interface WebhookCall {
  readonly url: string;
  /** File of the signing key; read anew for each call. */
  readonly secretFile: string | undefined;
  /** The same in each delivery of this event, so that the receiver can drop a repeat. */
  readonly id: string;
  readonly event: string;
  readonly body: string;
  readonly timeoutMs: number;
}

/** Never throws. `now`: the moment of the call, milliseconds since the epoch. */
export async function callWebhook(call: WebhookCall, now: number, signal: AbortSignal): Promise<HookOutcome> {
  const late = AbortSignal.timeout(call.timeoutMs);
  let headers: Record<string, string>;
  try {
    headers = await headersOf(call, now);
  } catch (error) {
    return { kind: 'failed', failure: noSecret(error), output: '' };
  }
  try {
    const response = await fetch(call.url, {
      method: 'POST',
      headers,
      body: call.body,
      // the target of a redirect would get what was meant for another
      redirect: 'manual',
      signal: AbortSignal.any([signal, late]),
    });
    return judge(response, await head(response), now);
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    return {
      kind: 'failed',
      failure: late.aborted ? tooSlow(call.timeoutMs) : unreachable(error),
      output: '',
    };
  }
}

/** `t=<seconds>,v1=<hex>`: HMAC-SHA256 over the time, a full stop and the body. */
const signatureOf = (secret: string, seconds: number, body: string): string =>
  `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;

async function headersOf(
  { secretFile, id, event, body }: WebhookCall,
  now: number,
): Promise<Record<string, string>> {
  const signed = defined({
    'x-scanflow-signature': await given(secretFile, async (secretFile) =>
      signatureOf(await readSecret(secretFile), Math.floor(now / 1000), body),
    ),
  });
  return {
    'content-type': 'application/json',
    'user-agent': 'scanflow',
    'x-scanflow-event': event,
    'x-scanflow-event-id': id,
    ...signed,
  };
}

/** The beginning of the answer; does not wait for the rest. */
async function head({ body }: Response): Promise<string> {
  if (body === null) return '';
  const tail = new Tail();
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    tail.add(chunk.subarray(0, OUTPUT_BYTES - size));
    size += chunk.length;
    if (size >= OUTPUT_BYTES) break;
  }
  return tail.text();
}

function judge(response: Response, answer: string, now: number): HookOutcome {
  const { status, ok, headers } = response;
  const output = `HTTP ${status}\n${answer}`;
  if (ok) return { kind: 'done', output };
  if (status !== 429 && status !== 408 && status < 500)
    return { kind: 'failed', failure: refused(status), output };
  const askedMs = retryAfterMs(headers.get('retry-after'), now);
  return { kind: 'failed', failure: troubled(status), output, ...defined({ askedMs }) };
}

const refused = (status: number): Failure =>
  permanent(
    'HOOK_REFUSED',
    `The hook's address answered ${status}${status < 400 ? ', which leads elsewhere' : ''}. Correct its url or the program there, then retry it.`,
  );
const troubled = (status: number): Failure =>
  transient('HOOK_STATUS', `The hook's address answered ${status}. Look into the log of the program there.`);
const tooSlow = (ms: number): Failure =>
  transient(
    'HOOK_TIMEOUT',
    `The hook's address did not answer within ${ms / 1000} s. Look at the program there.`,
  );
function unreachable(error: unknown): Failure {
  const cause = error instanceof Error ? error.cause : undefined;
  const detail = codeOf(cause) ?? codeOf(error) ?? messageOf(error);
  return transient(
    'HOOK_UNREACHABLE',
    `The hook's address cannot be reached (${detail}). Check its url and the network.`,
  );
}
const noSecret = (error: unknown): Failure =>
  transient('HOOK_SECRET', `Nothing is sent unsigned: ${messageOf(error)}.`);

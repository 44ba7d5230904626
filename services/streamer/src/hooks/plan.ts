/** Hooks: the events that they want, a command's arguments, the outcome of a run, and the retry of a failed one. */
import { type Failure, permanent } from '@scanflow/failure';
import { retryAfter, type RetryPolicy } from '../work/pace.ts';

/** A series was stored, was sent to a destination, or was given up; a session is complete. */
export const HOOK_EVENTS = ['stored', 'forwarded', 'complete', 'failed'] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** Fields of a series or session for arguments and the environment, without unknown ones. */
export interface HookFields {
  readonly event: string;
  readonly folder?: string;
  readonly increment?: string;
  readonly project?: string;
  readonly subject?: string;
  readonly session?: string;
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
  readonly seriesInstanceUid?: string;
  readonly seriesNumber?: string;
  readonly modality?: string;
}

/** Whether the hook runs for this event. A session has no modality. */
export function wants(
  hook: Pick<HookRule, 'on' | 'when'>,
  event: HookEvent,
  modality: string | undefined,
): boolean {
  if (!hook.on.includes(event)) return false;
  const { modality: only } = hook.when ?? {};
  return modality === undefined || only === undefined || only.includes(modality);
}

const FIELD = /\{(\w+)\}/g;

/**
 * The arguments with their fields filled in. Values come from bookings and images: one that would make its argument
 * an option is refused, and so is NUL, which no argument can hold.
 */
export function fillArguments(
  command: readonly string[],
  fields: HookFields,
):
  | { readonly ok: true; readonly command: readonly string[] }
  | { readonly ok: false; readonly failure: Failure } {
  const values = new Map<string, string>(Object.entries(fields));
  const filled = command.map((argument) =>
    argument.replaceAll(FIELD, (_, name: string) => values.get(name) ?? ''),
  );
  const unsafe = filled.some(
    (argument, index) =>
      argument.includes('\0') || (argument.startsWith('-') && command[index]?.startsWith('-') === false),
  );
  return unsafe ? { ok: false, failure: UNSAFE } : { ok: true, command: filled };
}

const UNSAFE = permanent(
  'HOOK_ARGUMENT',
  'A value begins with - and would be an option of the command. Let the argument begin with a text, like --name={subject}, or read the record from standard input.',
);

/** The same fields as environment variables: SCANFLOW_FOLDER, SCANFLOW_SERIES_INSTANCE_UID … */
export function environmentOf(fields: HookFields): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields as unknown as Readonly<Record<string, string>>).map(([name, value]) => [
      `SCANFLOW_${name.replaceAll(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`,
      value.replaceAll('\0', ''),
    ]),
  );
}

const HOOK_RETRY: RetryPolicy = { firstMs: 10_000, capMs: 3_600_000 };

/**
 * When a run that failed is made again; undefined: it is given up.
 * @param attempt 1 for the first run that failed
 * @param askedMs the receiver wants a pause of at least this long (Retry-After)
 */
export function hookRetry(
  failure: Pick<Failure, 'kind'>,
  attempt: number,
  {
    retries,
    jitter,
    askedMs = 0,
  }: { readonly retries: number; readonly jitter: number; readonly askedMs?: number },
): number | undefined {
  if (attempt > retries) return undefined;
  const again = retryAfter(failure, attempt, jitter, HOOK_RETRY);
  return again.retry ? Math.max(again.delayMs, askedMs) : undefined;
}

interface HookRule {
  readonly name: string;
  readonly on: readonly HookEvent[];
  readonly when: { readonly modality?: readonly string[] | undefined } | undefined;
}

export interface Hook extends HookRule {
  readonly retries: number;
  readonly timeoutMs: number;
  readonly run:
    | {
        readonly kind: 'command';
        readonly command: readonly string[];
        readonly environment: Readonly<Record<string, string>>;
      }
    | { readonly kind: 'webhook'; readonly url: string; readonly secretFile: string | undefined }
    /** The built-in one: the bids service, with the internal token. */
    | { readonly kind: 'bids'; readonly url: string; readonly tokenFile: string };
}

export type HookOutcome =
  | { readonly kind: 'done'; readonly output: string }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      readonly output: string;
      /** The receiver wants a pause of so many milliseconds (Retry-After). */
      readonly askedMs?: number;
    }
  /** We are stopping; the hook runs again later. */
  | { readonly kind: 'interrupted' };

/** Kept of a command's output or an address' answer: its end. */
export const OUTPUT_BYTES = 8_192;

/** The last bytes of a stream, as text. */
export class Tail {
  #bytes = Buffer.alloc(0);
  #cut = false;

  add(chunk: Uint8Array): void {
    const all = Buffer.concat([this.#bytes, chunk]);
    this.#cut ||= all.length > OUTPUT_BYTES;
    this.#bytes = Buffer.from(all.subarray(-OUTPUT_BYTES));
  }

  text(): string {
    // drop a character that the cut halves
    const text = this.#bytes.toString('utf8').replaceAll('\0', '\ufffd');
    return this.#cut ? `…${text.replace(/^\ufffd+/, '')}` : text;
  }
}

/** Hooks from the configuration. */
import type { Config } from '@scanflow/config';
import type { HookRule } from './plan.ts';

export interface Hook extends HookRule {
  readonly retries: number;
  readonly timeoutMs: number;
  readonly run:
    | {
        readonly kind: 'command';
        readonly command: readonly string[];
        readonly environment: Readonly<Record<string, string>>;
      }
    | { readonly kind: 'webhook'; readonly url: string; readonly secretFile: string | undefined };
}

const COMMAND_MS = 30 * 60_000;
const WEBHOOK_MS = 30_000;

export const hooksOf = (hooks: Config['hooks']): Hook[] =>
  Object.entries(hooks).map(
    ([name, { on, when, command, url, secretFile, environment, timeout, retries }]) => ({
      name,
      on,
      when,
      retries,
      timeoutMs: timeout ?? (url === undefined ? COMMAND_MS : WEBHOOK_MS),
      run:
        url === undefined
          ? { kind: 'command', command: command ?? [], environment }
          : { kind: 'webhook', url, secretFile },
    }),
  );

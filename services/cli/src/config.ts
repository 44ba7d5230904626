/** The configuration of a command: where it is, and what to say if it cannot be used. */
import { formatIssue, loadConfig, type Config } from '@scanflow/config';
import { UsageError } from './command.ts';

/** Where scanflow.yaml is in a container. */
export const IN_CONTAINER = '/etc/scanflow/scanflow.yaml';

/** The option of commands that need a configuration. */
export const CONFIG = { config: { type: 'string', default: IN_CONTAINER } } as const;

/** Reads a configuration. Throws UsageError with every mistake in it. */
export async function requireConfig(file: string): Promise<Config> {
  const loaded = await loadConfig(file);
  if (loaded.ok) return loaded.config;
  throw new UsageError(loaded.issues.map(formatIssue).join('\n'));
}

/** The same for a command that needs an address: throws UsageError that names `scanflow check`. */
export async function openConfig(file: string): Promise<Config> {
  const loaded = await loadConfig(file);
  if (loaded.ok) return loaded.config;
  throw cannotUse(file);
}

export const cannotUse = (file: string): UsageError =>
  new UsageError(`${file} cannot be used; scanflow check ${file} says why`);

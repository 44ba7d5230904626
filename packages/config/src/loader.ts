/** The configuration as a service loads it when it starts. */
import type { LoadedConfig } from '@scanflow/runtime';
import type { KnownAttributes } from './attributes.ts';
import { formatIssue } from './issue.ts';
import { loadConfig } from './load.ts';
import type { Config } from './schema.ts';
import { configWarnings } from './warnings.ts';

/**
 * A function that reads a configuration file, for `load` of `runService`.
 * @param known keywords of DICOM attributes with their VR; without them, keywords are checked for their form only
 */
export const configLoader =
  (known?: KnownAttributes) =>
  async (file: string): Promise<LoadedConfig<Config>> => {
    const loaded = await loadConfig(file, known);
    return loaded.ok
      ? { ok: true, config: loaded.config, warnings: configWarnings(loaded.config) }
      : { ok: false, mistakes: loaded.issues.map(formatIssue) };
  };

/** Streamers that share one ledger in PostgreSQL. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { apiFetch, freePort, startProgram, type Postgres, type Program } from '@scanflow/testkit';
import type { Rig, Series } from './streamer-support.ts';

const MAIN = join(import.meta.dirname, '../../services/streamer/src/main.ts');
const KILLER = join(import.meta.dirname, 'streamer-killer.ts');

export interface Streamer {
  readonly program: Program;
  /** Path of its configuration. */
  readonly config: string;
  /** Of its pages. */
  readonly url: string;
  readonly series: () => Promise<Series[]>;
  readonly health: () => Promise<string>;
}

/** A streamer of the rig's configuration, with its own port and the shared ledger; a claim holds 4 s. */
export async function startShared(
  t: TestContext,
  rig: Rig,
  server: Postgres,
  env: Readonly<Record<string, string>> = {},
): Promise<Streamer> {
  const port = await freePort();
  const common = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, unknown>;
  const ledger = { url: server.url, passwordFile: server.passwordFile, lease: '4s' };
  const http = { bind: '127.0.0.1', ports: { cal2wl: 0, worklist: 0, streamer: port } };
  const config = join(rig.folder, `scanflow-${port}.yaml`);
  await writeFile(config, JSON.stringify({ ...common, ledger, http }));
  const program = await startProgram(process.execPath, ['--import', KILLER, MAIN, '--config', config], {
    env,
  });
  t.after(() => program.stop('SIGKILL'));
  t.after(() => {
    if (!t.passed) t.diagnostic(program.output());
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    program,
    config,
    url,
    series: async () =>
      ((await (await apiFetch(rig.data, `${url}/api/series`)).json()) as { series: Series[] }).series,
    health: async () => (await fetch(`${url}/healthz`)).text(),
  };
}

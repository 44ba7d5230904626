/** An installation for `scanflow doctor` to look at: a configuration, and the services that a test wants. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, run, startProgram, startStorescp, until } from '@scanflow/testkit';

const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));

export interface Found {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly message: string;
  readonly todo?: string;
  readonly code?: string;
}

export interface Diagnosis {
  readonly code: number | null;
  readonly ok: boolean;
  readonly checks: readonly Found[];
  /** What was found by the checks of that name. */
  readonly of: (check: string) => readonly Found[];
}

export async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-doctor-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const scanflow = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run(SCANFLOW, ['doctor', ...args], { timeoutMs: 120_000, env });

/** What `scanflow doctor --json` says. */
export async function diagnose(
  file: string,
  names: readonly string[] = [],
  extra: readonly string[] = [],
): Promise<Diagnosis> {
  const { code, stdout, stderr } = await scanflow([...names, '--config', file, '--json', ...extra]);
  assert.ok(code === 0 || code === 1, stderr);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Found[] };
  assert.equal(ok, code === 0);
  for (const { state, todo, check } of checks)
    assert.equal(state === 'ok', todo === undefined, `${check}: what is not well says what to do`);
  return { code, ok, checks, of: (name) => checks.filter(({ check }) => check === name) };
}

export interface Installation {
  readonly folder: string;
  readonly file: string;
  readonly ports: Readonly<Record<'cal2wl' | 'worklist' | 'streamer' | 'dashboard', number>>;
}

export interface InstallationOptions {
  readonly orthanc: Readonly<Record<string, unknown>>;
  /** Sections that take the place of those below. */
  readonly sections?: Readonly<Record<string, unknown>>;
}

/** A folder with data and project storage, and a configuration beside them; nothing is started. */
export async function install(
  t: TestContext,
  { orthanc, sections = {} }: InstallationOptions,
): Promise<Installation> {
  const folder = await temporary(t);
  await mkdir(join(folder, 'project'));
  await mkdir(join(folder, 'data'));
  const ports = {
    cal2wl: await freePort(),
    worklist: await freePort(),
    streamer: await freePort(),
    dashboard: await freePort(),
  };
  const file = join(folder, 'scanflow.yaml');
  const config = {
    facility: { name: 'Test', timezone: 'Europe/Amsterdam' },
    data: join(folder, 'data'),
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc,
    storage: { root: join(folder, 'project') },
    worklist: { port: await freePort() },
    http: { ports },
    dashboard: { port: await freePort() },
    ...sections,
  };
  await writeFile(file, JSON.stringify(config, null, 2));
  return { folder, file, ports };
}

/** Starts a service as its container does, and waits until it is well. */
export async function startService(
  t: TestContext,
  name: keyof Installation['ports'],
  { file, ports }: Installation,
): Promise<void> {
  const main = join(import.meta.dirname, `../../services/${name}/src/main.ts`);
  const program = await startProgram(process.execPath, [main, '--config', file]);
  t.after(() => program.stop('SIGKILL'));
  const well = async (): Promise<boolean> => {
    if (program.exited()) throw new Error(`${name} ended:\n${program.output()}`);
    const answer = await fetch(`http://127.0.0.1:${ports[name]}/healthz`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.ok === true;
  };
  await until(well, { what: `${name} is well`, timeoutMs: 60_000, everyMs: 100 });
}

/** DCMTK's storescp, with further options; where it is. */
export async function storescp(
  t: TestContext,
  ...extra: readonly string[]
): Promise<{ host: string; port: number }> {
  const scp = await startStorescp({ folder: await temporary(t), extra });
  t.after(() => scp.stop());
  return { host: '127.0.0.1', port: scp.port };
}

/** Takes connections and never says a word. */
export async function startSilent(t: TestContext): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    t.after(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  return address.port;
}

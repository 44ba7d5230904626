/** `scanflow send` as a person runs it, and who it sends to: shared by its tests. */
import { strict as assert } from 'node:assert';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeSeries, readPart10Header, removeSplice } from '@scanflow/dicom';
import {
  run,
  startScriptedScp,
  startStorescp,
  type RunResult,
  type ScriptedScp,
  type ScriptedScpOptions,
  type Storescp,
} from '@scanflow/testkit';

export const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));
const STATE = join(tmpdir(), `send-test-state-${process.pid}`);
process.on('exit', () => rmSync(STATE, { recursive: true, force: true }));
const WHEN = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
const TAG = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' } as const;

/** No test finds the journal of another. */
export const send = (...args: string[]): Promise<RunResult> =>
  run(SCANFLOW, ['send', ...args], { timeoutMs: 120_000, env: { XDG_STATE_HOME: STATE } });

export async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'send-test-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** Images by SOP Instance UID. */
export type Images = ReadonlyMap<string, Uint8Array>;

export function images(count: number, seed = 1): Images {
  const series = makeSeries({ modality: 'MR', images: count, rows: 64, columns: 64, when: WHEN, seed });
  return new Map([...series].map(({ sopInstanceUid, bytes }) => [sopInstanceUid, bytes]));
}

export async function written(t: TestContext, all: Images): Promise<string> {
  const root = await folder(t);
  await mkdir(join(root, 'deeper'));
  for (const [uid, bytes] of all) await writeFile(join(root, 'deeper', `${uid}.dcm`), bytes);
  return root;
}

export async function storescp(t: TestContext): Promise<Storescp> {
  const scp = await startStorescp({ folder: await folder(t) });
  t.after(() => scp.stop());
  return scp;
}

export const dataSetOf = (bytes: Uint8Array): Buffer => {
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  return Buffer.from(bytes.subarray(header.dataSetOffset));
};

/** The peer has just these data sets, byte for byte; `strip` takes our tag out first. */
export async function assertReceived(scp: Storescp, all: Images, strip = false): Promise<void> {
  const files = await scp.files();
  assert.equal(files.length, all.size);
  for (const file of files) {
    const came = await readFile(file);
    const header = readPart10Header(came);
    assert.ok(!('needMore' in header));
    const original = all.get(header.sopInstanceUid);
    assert.ok(original !== undefined);
    assert.ok(dataSetOf(strip ? removeSplice(came, TAG) : came).equals(dataSetOf(original)));
  }
}

export interface Json {
  readonly sent: number;
  readonly earlier: number;
  readonly failed: number;
  readonly skipped: number;
  readonly series: readonly { images: number; sent: number; status: string; filename: string }[];
  readonly failures: readonly { file: string; code: string; kind: string; message: string }[];
  readonly troubles: Readonly<Record<string, string>>;
}
export const json = ({ stdout }: RunResult): Json => JSON.parse(stdout) as Json;

export const to = (scp: { readonly port: number }): string[] => ['--to', `SCP@127.0.0.1:${scp.port}`];

export async function scripted(t: TestContext, options: ScriptedScpOptions): Promise<ScriptedScp> {
  const scp = await startScriptedScp(options);
  t.after(() => scp.close());
  return scp;
}

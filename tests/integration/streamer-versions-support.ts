/** A receiver before the Orthanc of a streamer's rig, and images that are sent again after a correction. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { store } from '@scanflow/dimse';
import { dcmtk, freePort, startProgram, storescu, until, type Program } from '@scanflow/testkit';
import { recordOf, folderOf, type StoredRecord } from './streamer-verify.ts';
import { settled, type Rig, type Series } from './streamer-support.ts';

const MAIN = fileURLToPath(new URL('../../services/receiver/src/main.ts', import.meta.url));

export interface Door {
  readonly port: number;
  readonly program: () => Program;
  readonly start: () => Promise<void>;
  /** Sends files and folders as a scanner does. */
  readonly send: (...paths: string[]) => Promise<void>;
  /** Sends one file; the status of the answer. */
  readonly offer: (path: string) => Promise<number | undefined>;
}

/** Starts a receiver. `orthancUrl` is its address of Orthanc, for something in between; `more` adds to its section. */
export async function startReceiver(
  t: TestContext,
  rig: Rig,
  orthancUrl: string = rig.orthanc.url,
  more: object = {},
): Promise<Door> {
  const [port, http] = [await freePort(), await freePort()];
  const configFile = join(rig.folder, `receiver-${port}.yaml`);
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, object>;
  const changed = {
    ...config,
    orthanc: { ...config['orthanc'], url: orthancUrl },
    receiver: { bind: '127.0.0.1', port, ...more },
    http: { bind: '127.0.0.1', ports: { receiver: http } },
  };
  await writeFile(configFile, JSON.stringify(changed));
  let program: Program | undefined;
  const running = (): Program => {
    assert.ok(program !== undefined);
    return program;
  };
  const start = async (): Promise<void> => {
    program = await startProgram(process.execPath, [MAIN, '--config', configFile]);
    const healthy = async (): Promise<boolean> => {
      assert.ok(!running().exited(), running().output());
      return (await fetch(`http://127.0.0.1:${http}/healthz`).catch(() => undefined))?.ok === true;
    };
    await until(healthy, { what: 'the receiver takes images', timeoutMs: 60_000 });
  };
  t.after(() => program?.stop('SIGKILL'));
  await start();
  return {
    port,
    program: running,
    start,
    send: (...paths) => storescu({ port, calledAet: 'ORTHANC', callingAet: 'PRISMA' }, paths),
    offer: async (path) => {
      const peer = { host: '127.0.0.1', port, calledAet: 'ORTHANC', callingAet: 'PRISMA' };
      const [outcome] = await Array.fromAsync(store(peer, [{ id: path, path }]));
      return outcome?.status;
    },
  };
}

/** The same image after another reconstruction: its last pixel is another. */
export async function reconstructed(file: string, to: string, pixel: number): Promise<string> {
  const bytes = await readFile(file);
  bytes[bytes.length - 1] = pixel;
  await writeFile(to, bytes);
  return to;
}

/** The same images after a correction at the console: under the UIDs that they had, with another value (`StudyID=ses-01`). */
export async function corrected(
  files: readonly string[],
  to: string,
  ...values: string[]
): Promise<string[]> {
  await mkdir(to, { recursive: true });
  const copies = files.map((file) => join(to, basename(file)));
  for (const [index, copy] of copies.entries()) await copyFile(files[index] ?? '', copy);
  const { code, stderr } = await dcmtk('dcmodify', [
    '-nb',
    ...values.flatMap((value) => ['-m', value]),
    ...copies,
  ]);
  assert.equal(code, 0, stderr);
  return copies;
}

/** Waits until a condition holds for the only series, and what is stored of it. */
export async function seriesWhen(
  rig: Rig,
  wanted: (series: Series, record: StoredRecord) => boolean,
  what: string,
): Promise<{ series: Series; record: StoredRecord }> {
  let last: unknown;
  const look = async (): Promise<{ series: Series; record: StoredRecord } | undefined> => {
    const [series] = await rig.series().catch(() => []);
    last = series;
    if (series?.legs.find(({ target }) => target === 'storage')?.path === undefined) return undefined;
    const record = await recordOf(folderOf(series)).catch(() => undefined);
    return record !== undefined && wanted(series, record) ? { series, record } : undefined;
  };
  return until(look, { what, timeoutMs: 120_000 }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(last)}\n${rig.streamer().output()}`);
  });
}

/** The only series, once nothing is left to do. */
export async function theSeries(rig: Rig, ...states: string[]): Promise<Series> {
  const [series] = await settled(rig, 1, states);
  assert.ok(series !== undefined);
  return series;
}

export const post = (rig: Rig, path: string, body: object): Promise<Response> =>
  rig.api(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Passes everything on to Orthanc; `meanwhile` is called before each request goes there, and before its answer comes back. */
export async function relay(
  t: TestContext,
  { url }: Rig['orthanc'],
  meanwhile: (when: 'before' | 'after', method: string, path: string) => Promise<void>,
): Promise<string> {
  const server = createServer((request, response) => {
    const { method = 'GET', url: path = '/', headers } = request;
    const pass = async (): Promise<void> => {
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
      await meanwhile('before', method, path);
      if (response.destroyed) return;
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: headers.authorization ?? '' },
        ...(method === 'GET' ? {} : { body }),
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      await meanwhile('after', method, path);
      response.writeHead(answer.status, { 'content-length': bytes.length }).end(bytes);
    };
    pass().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

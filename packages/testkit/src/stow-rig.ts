/** A scripted DICOMweb server and images to send to it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeSeries, type PhantomInstance, type PhantomOptions } from '@scanflow/dicom';
import type { StoreItem } from '@scanflow/dimse';
import { listenOnLoopback } from './process.ts';

/** What became of one item, as far as these helpers look at it. */
interface Outcome {
  readonly id: string;
  readonly result: string;
  readonly failure?: { readonly code: string; readonly kind: string };
}

/** What sends to the scripted server. */
interface Sender<O extends Outcome> {
  send(
    items: AsyncIterable<StoreItem>,
    options: { readonly signal: AbortSignal; readonly calmly: boolean },
  ): AsyncIterable<O>;
  close(): unknown;
}

export interface Received {
  readonly request: IncomingMessage;
  /** SOP Instance UIDs of those given to the rig that are in the body. */
  readonly uids: readonly string[];
  readonly body: Buffer;
}

interface Rig<O> {
  readonly items: StoreItem[];
  readonly uids: string[];
  readonly bytes: Uint8Array[];
  readonly received: Received[];
  readonly send: (items?: readonly StoreItem[]) => Promise<O[]>;
}

interface RigOptions {
  /** Default 3. */
  readonly images?: number;
  readonly signal?: AbortSignal;
}

/** Answers a request; `count` is 1 for the first one. */
export type StowAnswerer = (received: Received, response: ServerResponse, count: number) => void;

/** Images, a server at loopback that answers as scripted, and `open`'s sender for its URL. All ends with the test. */
export async function stowRig<O extends Outcome>(
  t: TestContext,
  answer: StowAnswerer,
  open: (url: string) => Sender<O>,
  options: RigOptions = {},
): Promise<Rig<O>> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-stow-'));
  const images = [...phantom(options.images ?? 3)];
  const uids = images.map(({ sopInstanceUid }) => sopInstanceUid);
  const items: StoreItem[] = [];
  for (const { sopInstanceUid, bytes } of images) {
    const path = join(folder, `${sopInstanceUid}.dcm`);
    await writeFile(path, bytes);
    items.push({ id: sopInstanceUid, path, sha256: createHash('sha256').update(bytes).digest('hex') });
  }
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const entry = { request, body, uids: uids.filter((uid) => body.includes(uid)) };
      received.push(entry);
      answer(entry, response, received.length);
    });
  });
  const port = await listenOnLoopback(server);
  const sender = open(`http://127.0.0.1:${port}/dicom-web/`);
  t.after(async () => {
    sender.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  const signal = options.signal ?? new AbortController().signal;
  return {
    items,
    uids,
    bytes: images.map(({ bytes }) => bytes),
    received,
    send: (given = items) => Array.fromAsync(sender.send(each(given), { signal, calmly: false })),
  };
}

export async function* each(items: readonly StoreItem[]): AsyncGenerator<StoreItem> {
  for (const item of items) yield await Promise.resolve(item);
}

export const item = (uid: string, more: object = {}): object => ({
  '00081155': { vr: 'UI', Value: [uid] },
  ...more,
});
export const reason = (code: number): object => ({ '00081197': { vr: 'US', Value: [code] } });
export const warning = (code: number): object => ({ '00081196': { vr: 'US', Value: [code] } });

export function reply(
  response: ServerResponse,
  status: number,
  { stored = [], failed = [] }: { stored?: readonly object[]; failed?: readonly object[] } = {},
): void {
  response.writeHead(status, { 'content-type': 'application/dicom+json' }).end(
    JSON.stringify({
      '00081199': { vr: 'SQ', Value: stored },
      '00081198': { vr: 'SQ', Value: failed },
    }),
  );
}

/** `sent`, or the code and kind of the failure. */
export const short = (outcomes: readonly Outcome[]): string[] =>
  outcomes.map(({ result, failure }) => (failure === undefined ? result : `${failure.code} ${failure.kind}`));

/** The outcomes in the order of `uids`, one for each. */
export const byId = <O extends Outcome>(outcomes: readonly O[], uids: readonly string[]): O[] =>
  uids.map((uid) => {
    const found = outcomes.filter(({ id }) => id === uid);
    assert.equal(found.length, 1, `one outcome for ${uid}`);
    return found[0] as O;
  });

export const phantom = (images: number, more: Partial<PhantomOptions> = {}): PhantomInstance[] => [
  ...makeSeries({
    modality: 'MR',
    patientId: '3010000.01_sub-001',
    when: Temporal.ZonedDateTime.from('2026-11-22T10:00[Europe/Amsterdam]'),
    images,
    ...more,
  }),
];

/** Images in a real Orthanc, what arrived of them elsewhere, and somebody in between who spoils answers. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { makeSeries } from '@scanflow/dicom';
import type { RunningOrthanc } from '@scanflow/testkit';

const WHEN = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');

/** Images by SOP Instance UID. */
export type Images = ReadonlyMap<string, Uint8Array>;

export interface Uploaded {
  readonly images: Images;
  /** Orthanc's identifiers. */
  readonly study: string;
  readonly series: string;
  readonly instances: readonly string[];
}

interface Answer {
  readonly ID: string;
  readonly ParentStudy: string;
  readonly ParentSeries: string;
}

/** Data Set Trailing Padding (FFFC,FFFC) of so many bytes: large, and easily made. */
function padding(bytes: number): Buffer {
  const head = Buffer.from('fcfffcff4f42000000000000', 'hex');
  head.writeUInt32LE(bytes, 8);
  return Buffer.concat([head, Buffer.alloc(bytes, 'abcdefg')]);
}

/** Images of one series; `padded` says how many bytes longer each is. */
export async function upload(
  orthanc: RunningOrthanc,
  seed: number,
  count: number,
  padded: (index: number) => number = () => 0,
): Promise<Uploaded> {
  const series = makeSeries({ modality: 'MR', images: count, rows: 64, columns: 64, when: WHEN, seed });
  const images = new Map<string, Uint8Array>();
  const answers: Answer[] = [];
  for (const { sopInstanceUid, bytes } of series) {
    const more = padded(images.size);
    const all = more === 0 ? bytes : Buffer.concat([bytes, padding(more)]);
    images.set(sopInstanceUid, all);
    const { status, body } = await orthanc.upload(all);
    assert.equal(status, 200);
    answers.push(body as Answer);
  }
  const [first] = answers;
  assert.ok(first);
  return {
    images,
    study: first.ParentStudy,
    series: first.ParentSeries,
    instances: answers.map(({ ID }) => ID),
  };
}

export { assertReceived, dataSetOf } from './send-support.ts';

/** Stands before Orthanc and does to each answer what it is told; gives its address. */
export async function between(
  t: TestContext,
  orthanc: RunningOrthanc,
  spoil: (path: string, answer: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean,
): Promise<string> {
  const server = createServer((asked, response) => {
    const { headers, method = 'GET', url = '/' } = asked;
    const passed = request(`${orthanc.url}${url}`, { method, headers }, (answer) => {
      void Promise.resolve(spoil(url, answer, response)).then((spoilt) => {
        if (spoilt) return;
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
    });
    passed.on('error', () => response.destroy());
    asked.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  return `http://127.0.0.1:${address.port}`;
}

/** A bids service that says what a test wants, or nothing at all: sessions and plans come to it as to the real one. */
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import type { BidsAnswer, BidsRequest, BidsResult } from '@scanflow/bids';
import type { PlanNow } from '@scanflow/bids/diff';

export interface FakeBids {
  readonly url: string;
  /** What is said of the next session. */
  verdict: (request: BidsRequest) => BidsAnswer;
  /** Undefined: it hangs. */
  plan: ((request: BidsRequest) => PlanNow) | undefined;
  /** Sessions that were handed over. */
  readonly deliveries: BidsRequest[];
}

const FOLDER = 'sub-001/ses-mr01';

export const resultOf = (more: Partial<BidsResult> = {}): BidsResult => ({
  ...{ state: 'published', dataset: '/project/3010000.01/bids', folder: FOLDER, verdict: 'valid' },
  ...{ errorCount: 0, warningCount: 0, errors: [], warnings: [], conflicts: [], failed: [], kept: [] },
  counts: { series: 1, converted: 1, failed: 0, left: 0, files: 3, images: 10 },
  versions: { dcm2niix: 'v1.0.20220720', validator: 'bids-validator 1.15.0' },
  ...more,
});

const nameOf = (suffix: string): string => `${FOLDER}/anat/sub-001_ses-mr01_${suffix}`;
const ofSeries = (id: string, folder: string) => ({
  ...{ id, folder, seriesNumber: 1, seriesDescription: folder },
});

/** The session's own series becomes `suffix`, one more series is left, and the dataset has `was`. */
export const planNow = (
  { project, accessionNumber, series }: BidsRequest,
  suffix: string,
  was: string,
): PlanNow => {
  const [first] = series;
  const id = first?.id ?? '';
  const folder = first?.folder.split('/').at(-1) ?? '';
  const target = { datatype: 'anat', suffix, entities: {} };
  return {
    state: 'made',
    images: { [id]: 10 },
    was: [{ id, folder, images: 10, paths: [nameOf(was)] }],
    plan: {
      ...{ project, subject: '001', session: 'mr01', accessionNumber, conflicts: [] },
      series: [
        {
          ...ofSeries(id, folder),
          ...{ decision: 'convert', reason: 'by ReproIn', rule: 'ReproIn', suggestion: undefined },
          outputs: [{ output: 'a', path: nameOf(suffix), target, metadata: {} }],
        },
      ],
    },
  };
};

export async function startFakeBids(t: Pick<TestContext, 'after'>): Promise<FakeBids> {
  const fake: Omit<FakeBids, 'url'> = {
    verdict: () => ({ ok: true, result: resultOf() }),
    plan: (request) => planNow(request, 'T1w', 'T1w'),
    deliveries: [],
  };
  const server = createServer((request, response) => {
    // the board's Health asks whether it is there
    if (request.method === 'GET') {
      response.end(JSON.stringify({ status: 'ok' }));
      return;
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as BidsRequest & { request: BidsRequest };
      const say = (answer: object): void => {
        response.end(JSON.stringify(answer));
      };
      if (request.url === '/api/plan/now') {
        if (fake.plan !== undefined) say({ ok: true, now: fake.plan(body.request) });
        return;
      }
      fake.deliveries.push(body);
      say(fake.verdict(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return Object.assign(fake, { url: `http://127.0.0.1:${port}` });
}

/** A streamer, a node that takes its images, and one that promises to keep them. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { defined } from '@scanflow/failure/defined';
import type { CommitmentRequest } from '@scanflow/dicom';
import {
  freePort,
  startCommitmentScp,
  startScriptedScp,
  type CommitmentScp,
  type CommitmentStep,
  type ScriptedScp,
} from '@scanflow/testkit';
import {
  legOf,
  makeRig,
  phantom,
  sendTo,
  type Rig,
  type RigOptions,
  type Series,
} from './streamer-support.ts';

export const LEG = 'commitment:pacs';

interface Site {
  readonly rig: Rig;
  /** Takes the images. */
  readonly store: ScriptedScp;
  /** Promises to keep them. */
  readonly pacs: CommitmentScp;
}

interface SiteOptions {
  readonly onRequest?: (count: number, request: CommitmentRequest) => CommitmentStep;
  readonly commitment?: Readonly<Record<string, unknown>>;
  readonly extra?: RigOptions['extra'];
}

/** A streamer that is not started yet, and a PACS. */
export async function site(
  t: TestContext,
  { onRequest, commitment = {}, extra = {} }: SiteOptions = {},
): Promise<Site> {
  const port = await freePort();
  const store = await startScriptedScp();
  t.after(() => store.close());
  const pacs = await startCommitmentScp({
    aet: 'PACS',
    callback: { port, calledAet: 'SCANFLOW' },
    ...defined({ onRequest }),
  });
  t.after(() => pacs.close());
  const destination = { host: '127.0.0.1', port: store.port, aet: 'PACS' };
  const rig = await makeRig(t, {
    extra: {
      commitments: { port },
      destinations: {
        pacs: { ...destination, commitment: { port: pacs.port, within: '10m', ...commitment } },
      },
      ...extra,
    },
  });
  return { rig, store, pacs };
}

export async function scan(rig: Rig, images: number, seriesNumber = 1): Promise<string[]> {
  const { files } = await phantom(join(rig.folder, `mr${seriesNumber}`), { images, seriesNumber });
  await sendTo(rig.orthanc, ...files);
  return files;
}

export const both = (series: Series | undefined) =>
  ['pacs', LEG].map((target) => {
    const { state, done, total } = legOf(series, target);
    return [state, done, total];
  });

export const LIMIT = { timeoutMs: 60_000 };

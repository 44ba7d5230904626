/** `scanflow verify` against a streamer, and what the API says of verification. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { until, run } from '@scanflow/testkit';
import type { Rig, Series } from './streamer-support.ts';

export interface Verification {
  readonly place: string;
  readonly good?: string;
  readonly looked?: string;
  readonly due?: string;
  readonly files: number;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly since?: string;
  readonly findings?: readonly { readonly file: string; readonly kind: string }[];
  readonly acknowledged?: { readonly by: string; readonly at: string; readonly reason: string };
  readonly trouble?: { readonly code: string };
}

const CLI = join(import.meta.dirname, '../../services/cli/src/main.ts');

export const scanflow = (
  rig: Rig,
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  run(process.execPath, [CLI, ...args, '--config', rig.configFile]);

export async function verificationOf(rig: Rig, { id }: Pick<Series, 'id'>): Promise<readonly Verification[]> {
  const series = (await rig.series()).find((one) => one.id === id);
  assert.ok(series !== undefined);
  return (series as unknown as { verification: Verification[] }).verification;
}

/** Waits until what the streamer says of the first place is as wanted. */
export const verifiedWhen = (
  rig: Rig,
  series: Pick<Series, 'id'>,
  wanted: (verification: Verification) => boolean,
  what: string,
): Promise<Verification> =>
  until(
    async () => {
      const [first] = await verificationOf(rig, series).catch(() => []);
      return first !== undefined && wanted(first) ? first : undefined;
    },
    { what, timeoutMs: 60_000 },
  );

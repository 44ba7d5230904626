/** Evidence for a root without identity: are the series there that the ledger stored last? */
import type { Ledger } from '../ports.ts';
import { readRecord } from '../store/disk/record.ts';
import type { Evidence } from './judge.ts';
import { storedPlaces } from './sql.ts';

export interface RootSpec {
  /** The root's name in the ledger: `storage`, `copy`, or the path of a project's own root. */
  readonly name: string;
  readonly path: string;
  /** The leg whose files are in this root. */
  readonly target: string;
  /** The path of a folder from the ledger; undefined if it is below another root. */
  readonly pathOf: (folder: string) => string | undefined;
}

/** Number of series to look for. */
const SAMPLE = 20;
const PAGE = 1_000;

export async function storedEvidence(spec: RootSpec, ledger: Ledger): Promise<Evidence['stored']> {
  const { any, sample } = await storedLast(spec, ledger);
  const there = await Promise.all(
    sample.map(async ({ series, path }) => (await readRecord(path))?.orthancSeries === series),
  );
  // a copy from before its folders were recorded gives no evidence
  const unknown = any && sample.length === 0;
  return { any, some: unknown || there.includes(true), newest: unknown || there[0] === true };
}

interface Sample {
  readonly any: boolean;
  readonly sample: readonly { readonly series: string; readonly path: string }[];
}

async function storedLast({ target, pathOf }: RootSpec, ledger: Ledger): Promise<Sample> {
  const sample: { series: string; path: string }[] = [];
  let any = false;
  for (let offset = 0; sample.length < SAMPLE; offset += PAGE) {
    const page = await ledger.read(storedPlaces, target, PAGE, offset);
    for (const { series, path: folder } of page) {
      const path = folder === '' ? undefined : pathOf(folder);
      any ||= folder === '' || path !== undefined;
      if (path !== undefined && sample.length < SAMPLE) sample.push({ series, path });
    }
    if (page.length < PAGE) break;
  }
  return { any, sample };
}

/**
 * `npm run bench:bids [-- --rounds N]`: a session of twelve series to BIDS, beside bare `dcm2niix -z y` over the same files, a run for
 * each series. Both take turns, in one run. With the validator, which bare dcm2niix does not run, it is a second figure. Says which
 * figure is over its bound, and fails for none.
 */
import { mkdtemp, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { planSession, ruleSet } from '@scanflow/bids';
import { mrSession, run, writeMrSession, type MrSeries } from '@scanflow/testkit';
import { epi, t1w } from '../../../packages/testkit/src/mr/acquisitions.ts';
import { bidsSession } from '../src/work/session.ts';
import { OWN_VALIDATOR } from '../src/work/validate.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('--rounds takes a whole number from 1');
  process.exit(2);
}
const BOUND = 1.3;

/** As long as the series of a real session, at a low resolution. */
const LENGTHS: Readonly<Record<string, MrSeries['scan']>> = {
  t1w: { ...t1w(176), rows: 256, columns: 256 },
  'late t2w': { ...t1w(176), rows: 256, columns: 256 },
  bold: epi({ volumes: 400 }),
  'multi-echo': epi({ volumes: 150, echoes: [12, 28, 44] }),
};
const SERIES = [
  ...(['localiser', 't1w', 'field map magnitude', 'field map phase', 'epi AP', 'epi PA', 'sbref'] as const),
  ...(['bold', 'multi-echo', 'dwi', 'late t2w', 'enhanced'] as const),
];

const work = await mkdtemp(join(tmpdir(), 'scanflow-bench-bids-'));
const made = await writeMrSession(
  join(work, 'raw'),
  mrSession({ series: SERIES }).map((one) => ({ ...one, scan: LENGTHS[one.what] ?? one.scan })),
  { when: Temporal.ZonedDateTime.from('2026-11-30T10:00[Europe/Amsterdam]'), patientId: '1_sub-001' },
);
const files = made.flatMap((one) => one.files);
let bytes = 0;
for (const file of files) bytes += (await stat(file)).size;

const timed = async (what: () => Promise<void>): Promise<number> => {
  const begin = performance.now();
  await what();
  return (performance.now() - begin) / 1000;
};

async function bare(round: number): Promise<void> {
  for (const [index, { folder }] of made.entries()) {
    const to = join(work, `bare-${round}`, String(index));
    await mkdir(to, { recursive: true });
    const { code, stdout } = await run('dcm2niix', ['-b', 'y', '-z', 'y', '-o', to, folder], {
      timeoutMs: 600_000,
    });
    if (code !== 0) throw new Error(`dcm2niix: ${stdout}`);
  }
}

async function ours(name: string, validator: readonly string[]): Promise<void> {
  const outcome = await bidsSession(
    {
      project: '1',
      subject: 'sub-001',
      session: 'ses-mr01',
      accessionNumber: 'A1',
      storageRoot: join(work, 'raw'),
      datasetRoot: join(work, name),
      series: made.map(({ folder, series }) => ({ id: series.what, folder: basename(folder) })),
    },
    {
      dcm2niix: { command: ['dcm2niix'], timeoutMs: 600_000 },
      plan: (facts) => planSession(facts, ruleSet()),
      validator: { command: validator, timeoutMs: 600_000, memoryMiB: 2_048 },
      scanflowVersion: 'bench',
    },
    AbortSignal.timeout(600_000),
  );
  if (outcome.state !== 'published' || outcome.counts.failed > 0)
    throw new Error(`not published: ${JSON.stringify(outcome, null, 1)}`);
}

/** Says at once that all is well: what is left is our own work. */
const CONTENT = [
  process.execPath,
  '-e',
  'console.log(process.argv.includes("--version") ? "1" : JSON.stringify({ issues: { errors: [], warnings: [] }, summary: {} }))',
  '--',
];

const times = { bare: [] as number[], ours: [] as number[], validated: [] as number[] };
try {
  for (let round = 0; round < rounds; round += 1) {
    const turns = [
      async () => times.bare.push(await timed(() => bare(round))),
      async () => times.ours.push(await timed(() => ours(`ours-${round}`, CONTENT))),
      async () => times.validated.push(await timed(() => ours(`validated-${round}`, OWN_VALIDATOR))),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    for (const name of await readdir(work))
      if (name !== 'raw') await rm(join(work, name), { recursive: true, force: true });
  }
} finally {
  await rm(work, { recursive: true, force: true });
}

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
const base = median(times.bare);
console.log(
  `${made.length} series, ${files.length} images, ${(bytes / 1e6).toFixed(0)} MB; ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}`,
);
for (const [name, list] of Object.entries({
  'dcm2niix -z y': times.bare,
  'scanflow, without validator': times.ours,
  'scanflow, with validator': times.validated,
}))
  console.log(`${name.padEnd(28)} ${median(list).toFixed(2)} s   ratio ${(median(list) / base).toFixed(2)}`);
const ratio = median(times.ours) / base;
console.log(`${ratio <= BOUND ? 'PASS' : 'FAIL'} ratio to dcm2niix ${ratio.toFixed(2)}, at most ${BOUND}`);

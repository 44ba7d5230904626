/** `npm run test:corpus -- FOLDER`: exit code 0 where all held, 1 where something did not or could not be tried, 2 where nothing was. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { dcmtk, findOrthanc, run } from '@scanflow/testkit';
import { tryFolder } from './corpus.ts';
import { progressTo } from './progress.ts';
import { htmlOf, type Report } from './report.ts';
import { CHECKS, countBy, exitCode, OUTCOMES } from './rows.ts';

const USAGE = `npm run test:corpus -- FOLDER [--report FOLDER] [--max-mib N] [--max-files N] [--batch-mib N]

Takes every DICOM file and every calendar below FOLDER through Scanflow, and says what held. FOLDER itself stays as it is.
  --report FOLDER   where corpus.json and corpus.html go (corpus-report)
  --max-mib N       larger files are not tried (1024)
  --max-files N     more files are not tried (100000)
  --batch-mib N     images that go through together; needs four times as much free space below TMPDIR (2048)
`;
const MIB = 1024 ** 2;
const BATCH_IMAGES = 1000;

function options():
  { folder: string; report: string; mib: number; files: number; batch: number } | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        report: { type: 'string', default: 'corpus-report' },
        'max-mib': { type: 'string', default: '1024' },
        'max-files': { type: 'string', default: '100000' },
        'batch-mib': { type: 'string', default: '2048' },
      },
    });
    const [folder, ...more] = positionals;
    const numbers = [values['max-mib'], values['max-files'], values['batch-mib']].map(Number);
    const [mib = 0, files = 0, batch = 0] = numbers;
    if (folder === undefined || more.length > 0 || !numbers.every((n) => Number.isInteger(n) && n > 0))
      return undefined;
    // npm runs this in the project's folder, and a person names theirs from where they are
    const from = process.env['INIT_CWD'] ?? process.cwd();
    return { folder: resolve(from, folder), report: resolve(from, values.report), mib, files, batch };
  } catch {
    return undefined;
  }
}

async function programs(): Promise<Record<string, string>> {
  const first = async (name: string, args: string[], pattern: RegExp): Promise<[string, string]> => {
    const { stdout, stderr } = await (name === 'dcmdump' ? dcmtk : run)(name, args);
    return [name, pattern.exec(stdout + stderr)?.[1] ?? 'of an unknown version'];
  };
  return Object.fromEntries(
    await Promise.all([
      first(findOrthanc() ?? 'Orthanc', ['--version'], /(\d+\.\d+\.\d+)/),
      first('dcmdump', ['--version'], /v(\d+\.\d+\.\d+)/),
      first('dcm2niix', ['-v'], /v(\d[\w.]*)/),
    ]),
  );
}

const chosen = options();
if (chosen === undefined || (await stat(chosen.folder).catch(() => undefined))?.isDirectory() !== true) {
  process.stderr.write(chosen === undefined ? USAGE : `There is no folder ${chosen.folder}.\n\n${USAGE}`);
  process.exit(2);
}
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    process.stderr.write('\nStopping after what is under way. The report says what was tried.\n');
    stop.abort();
  });

const began = Temporal.Now.instant();
const { rows, ...files } = await tryFolder({
  folder: chosen.folder,
  maxBytes: chosen.mib * MIB,
  maxFiles: chosen.files,
  batch: { images: BATCH_IMAGES, bytes: chosen.batch * MIB },
  progress: progressTo(process.stderr),
  signal: stop.signal,
});
const report: Report = {
  version: 1,
  folder: chosen.folder,
  began: began.toString({ smallestUnit: 'second' }),
  seconds: Math.round(began.until(Temporal.Now.instant()).total('seconds')),
  interrupted: stop.signal.aborted,
  programs: await programs(),
  files,
  rows,
};
await mkdir(chosen.report, { recursive: true });
await writeFile(join(chosen.report, 'corpus.json'), `${JSON.stringify(report, null, 1)}\n`);
await writeFile(join(chosen.report, 'corpus.html'), htmlOf(report));
for (const [check, counts] of countBy(rows, (one) => CHECKS[one.check])) {
  const said = OUTCOMES.flatMap((outcome) => (counts[outcome] > 0 ? [`${counts[outcome]} ${outcome}`] : []));
  console.log(`${check}: ${said.join(', ')}`);
}
console.log(`The report: ${join(chosen.report, 'corpus.html')}`);
process.exitCode = stop.signal.aborted ? 1 : exitCode(rows);

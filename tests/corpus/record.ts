/** `series.json` beside what dcmdump says of the originals. */
import { dcmtk } from '@scanflow/testkit';
import type { StoredRecord } from '../integration/streamer-verify.ts';
import type { Image } from './image-head.ts';
import { row, type Row } from './rows.ts';

/** Keyword → tag, of what series.json has of the whole series. */
const SERIES: Readonly<Record<string, string>> = {
  AccessionNumber: '0008,0050',
  Modality: '0008,0060',
  PatientID: '0010,0020',
  SeriesDescription: '0008,103e',
  SeriesInstanceUID: '0020,000e',
  SeriesNumber: '0020,0011',
  StudyDescription: '0008,1030',
  StudyID: '0020,0010',
  StudyInstanceUID: '0020,000d',
};
const INSTANCE = '0008,0018';
const SYNTAX = '0002,0010';
/** Files of one call: a command line is not endless. */
const AT_ONCE = 100;
const TIMEOUT_MS = 120_000;

type Values = ReadonlyMap<string, string>;

/** One row for each image that dcmdump reads. */
export async function compareRecord(
  record: StoredRecord & { readonly attributes?: Readonly<Record<string, string>> },
  kept: readonly { readonly image: Image; readonly file: string }[],
): Promise<Row[]> {
  const dumps = new Map<string, Values>();
  for (let at = 0; at < kept.length; at += AT_ONCE)
    for (const [path, values] of await dump(kept.slice(at, at + AT_ONCE).map(({ image }) => image.path)))
      dumps.set(path, values);
  const { attributes = {} } = record;
  const all = [...dumps.values()];
  const wrong = Object.entries(SERIES).flatMap(([keyword, tag]) => {
    const said = attributes[keyword]?.trim() ?? '';
    return all.length === 0 || all.some((values) => isSame(values.get(tag) ?? '', said)) ? [] : [keyword];
  });
  return kept.map(({ image, file }) => {
    const values = dumps.get(image.path);
    if (values === undefined)
      return row(image, 'record', 'untried', 'DCMDUMP', 'dcmdump does not read the original.');
    const instance = record.instances.find((one) => one.file === file);
    const own = [
      ...(isSame(values.get(INSTANCE) ?? '', instance?.sopInstanceUid ?? '') ? [] : ['SOPInstanceUID']),
      ...([undefined, '', instance?.transferSyntax].includes(values.get(SYNTAX))
        ? []
        : ['TransferSyntaxUID']),
    ];
    const names = [...wrong, ...own];
    if (names.length === 0) return row(image, 'record', 'held');
    return row(image, 'record', 'broke', 'RECORD', `series.json says something else of ${names.join(', ')}.`);
  });
}

/** A number may be written in other ways (`007`). Of a text that dcmdump does not convert, only ASCII can be compared. */
function isSame(dumped: string, said: string): boolean {
  if (dumped === said || dumped.split('\\')[0]?.trim() === said) return true;
  if (dumped === OPAQUE || dumped.includes('\ufffd')) return true;
  return said !== '' && dumped !== '' && Number(dumped) === Number(said);
}

/** Stands for a value that dcmdump shows as bytes. */
const OPAQUE = '\0';

type Dumps = Map<string, Values>;

/** Values by tag, of each file that dcmdump reads without an error. */
async function dump(paths: readonly string[]): Promise<Dumps> {
  const together = await dumpWith(['+U8'], paths);
  if (together !== undefined) return together;
  // one by one where a file among them stops dcmdump, and as it is where dcmdump cannot convert its characters
  const each: Dumps = new Map();
  for (const path of paths) {
    const alone = (await dumpWith(['+U8'], [path])) ?? (await dumpWith([], [path]));
    for (const [name, values] of alone ?? []) each.set(name, values);
  }
  return each;
}

async function dumpWith(options: readonly string[], paths: readonly string[]): Promise<Dumps | undefined> {
  const wanted = [...Object.values(SERIES), INSTANCE, SYNTAX].flatMap((tag) => ['+P', tag]);
  const args = ['-q', '+F', '+p', '+L', '-Un', ...options, ...wanted, ...paths];
  const { code, stdout } = await dcmtk('dcmdump', args, { timeoutMs: TIMEOUT_MS });
  if (code !== 0) return undefined;
  const found: Dumps = new Map();
  let values = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    const file = /^# dcmdump \(\d+\/\d+\): (.*)$/.exec(line)?.[1];
    if (file !== undefined) found.set(file, (values = new Map()));
    const [, tag, vr, value] =
      /^\(([\da-f]{4},[\da-f]{4})\) (\S\S) (?:\[(.*)\]|\(no value available\)|\S+) +#/.exec(line) ?? [];
    if (tag !== undefined && !values.has(tag))
      values.set(tag, vr === 'UN' || vr === '??' ? OPAQUE : (value ?? '').trim());
  }
  return found;
}

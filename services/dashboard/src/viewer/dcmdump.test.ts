/** What the header viewer shows of every file of Debian's python3-pydicom, read as browsers read, beside what dcmdump shows. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { toJsonModel } from '@scanflow/dicom/reading';
import { run } from '@scanflow/testkit';
import { open } from './open.ts';
import { rowsOf, wholeValue } from './rows.ts';
import { fileSource } from './sources.ts';
import type { Line, Shown } from './dcmdump-kit.test.ts';

const DATA = '/usr/lib/python3/dist-packages/pydicom/data';
const SKIP = existsSync(DATA) ? false : 'python3-pydicom is not installed';

test('viewer: what it shows of the corpus of pydicom is what dcmdump shows', { skip: SKIP }, async (t) => {
  const files = await dicomFiles();
  const script = join(import.meta.dirname, 'dcmdump-kit.test.ts');
  const ours = await run(process.execPath, ['--conditions=browser', script, ...files]);
  assert.equal(ours.code, 0, ours.stderr);
  const read = new Map(JSON.parse(ours.stdout) as [string, Shown][]);
  let compared = 0;
  let rows = 0;
  const wrong: string[] = [];
  for (const file of files) {
    const { lines, problems } = read.get(file) ?? { lines: [], problems: ['nothing'] };
    const name = relative(DATA, file);
    const theirs = await dumped(file);
    if (theirs === undefined || problems.length > 0) {
      t.diagnostic(`${name}: ${theirs === undefined ? 'dcmdump refuses it' : problems.join('; ')}`);
      if (theirs !== undefined && !BROKEN.has(name)) wrong.push(`${name}: ${problems.join('; ')}`);
      continue;
    }
    compared += 1;
    rows += lines.length;
    const without = lines.filter(([, tag]) => tag !== `(${CHARACTER_SET})`);
    wrong.push(...differences(without, theirs).map((what) => `${name}: ${what}`));
  }
  t.diagnostic(`${compared} of ${files.length} files, ${rows} rows`);
  assert.deepEqual(wrong, []);
  assert.ok(compared >= 80 && rows > 4_000, `${compared} files, ${rows} rows`);
});

test(
  'viewer: names in all character sets, and the DICOM JSON, are what pydicom reads',
  { skip: SKIP },
  async () => {
    const script = `
import json, sys, warnings, pydicom
warnings.simplefilter('ignore')
sets = [pydicom.dcmread(path, stop_before_pixels=True) for path in sys.argv[1:]]
print(json.dumps([[str(one.get('PatientName', '')), one.to_json_dict()] for one in sets]))`;
    const files = (await dicomFiles()).filter((file) =>
      /charset_files|CT_small|rtplan.dcm|test-SR|waveform/.test(file),
    );
    const { stdout, stderr, code } = await run('/usr/bin/python3', ['-c', script, ...files]);
    assert.equal(code, 0, stderr);
    const theirs = JSON.parse(stdout) as [string, Record<string, unknown>][];
    for (const [index, file] of files.entries()) {
      const { dataSet } = await open(fileSource(file, new Blob([new Uint8Array(await readFile(file))])));
      const [name, model] = theirs[index] ?? ['', {}];
      const row = rowsOf(dataSet).find((one) => one.name === 'PatientName');
      assert.equal(row === undefined ? '' : wholeValue(row).replace(/=+$/, ''), name, file);
      assert.deepEqual(comparable(JSON.parse(JSON.stringify(toJsonModel(dataSet)))), comparable(model), file);
    }
  },
);

/**
 * Without what both may say in their way: private elements (pydicom knows some of their VRs), group lengths, and the character
 * set (JSON is UTF-8; pydicom keeps the name of the file's). Without values is without `Value`, or with an empty one.
 */
function comparable(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(comparable);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json)
      .filter(([, inner]) => !(Array.isArray(inner) && inner.length === 0))
      .filter(([tag]) => !/^...[13579BDF]....$|0000$|^00080005$/.test(tag))
      .map(([tag, inner]) => [tag, comparable(inner)]),
  );
}

/** Files that the viewer shows in part, and says so. */
const BROKEN: ReadonlySet<string> = new Set([
  'test_files/dicomdirtests/DICOMDIR-nooffset',
  'test_files/meta_missing_tsyntax.dcm',
]);

async function dicomFiles(): Promise<string[]> {
  const all = await readdir(DATA, { recursive: true, withFileTypes: true });
  return all
    .filter(
      (one) =>
        one.isFile() && !/\.(?:py|pyc|json|txt|md|dump|gz|idx)$/i.test(one.name) && one.name !== 'README',
    )
    .map((one) => join(one.parentPath, one.name))
    .sort();
}

/** Offsets in a DICOMDIR, as dcmdump names them. */
const OFFSET = 'up';
const LINE = /^( *)\(([0-9a-f]{4},[0-9a-f]{4})\) (\S\S) (.*?) *#\s*(?:\d+|u\/l), *\d+ [^\n]+$/s;

const CHARACTER_SET = '0008,0005';

/** The lines of dcmdump before the pixels; undefined where it refuses the file. */
async function dumped(file: string): Promise<Line[] | undefined> {
  const args = ['-q', '+L', '-Un', '+uc', file].filter((one) => one !== '+uc');
  const utf8 = await run('dcmdump', ['+U8', ...args]);
  const { code, stdout } = utf8.code === 0 ? utf8 : await run('dcmdump', args);
  if (code !== 0) return undefined;
  const lines: Line[] = [];
  for (const text of stdout
    .replaceAll(/\n+# Dicom-[^\n]*\n# Used TransferSyntax[^\n]*/g, '')
    .split(/\n(?= *\([0-9a-f]{4},)/)) {
    const [, indent = '', tag = '', vr = '', value = ''] = LINE.exec(text.trimEnd()) ?? [];
    // +U8 writes another character set than the file's
    if (tag === '' || tag.startsWith('fffe') || tag === CHARACTER_SET) continue;
    if (indent === '' && tag > '7fe0,0007') break;
    lines.push([indent.length / 4, `(${tag.toUpperCase()})`, vr === OFFSET ? 'UL' : vr, value]);
  }
  return lines;
}

/** Tag by tag; a value as far as both say it in the same way. */
function differences(ours: readonly Line[], theirs: readonly Line[]): string[] {
  const places = (lines: readonly Line[]): string[] =>
    lines.map(([depth, tag]) => `${' '.repeat(depth)}${tag}`);
  const [one, other] = [places(ours), places(theirs)];
  const at = one.findIndex((place, index) => place !== other[index]);
  if (one.length !== other.length || at >= 0)
    return [`line ${at}: ${one.slice(at, at + 3).join()} instead of ${other.slice(at, at + 3).join()}`];
  return ours.flatMap(([, tag, vr, value], index) => {
    const [, , theirVr = '', theirValue = ''] = theirs[index] ?? [];
    const expected = valueOf(theirVr, theirValue);
    // private elements without a written VR: dcmdump's dictionary knows some of other vendors
    if (vr === 'UN' && theirVr !== 'UN') return [];
    if (vr !== theirVr) return [`${tag}: ${vr} instead of ${theirVr}`];
    if (expected === undefined || isSame(vr, value, expected)) return [];
    return [`${tag} ${vr}: ${JSON.stringify(value)} instead of ${JSON.stringify(expected)}`];
  });
}

/** dcmdump's value as we write it; undefined where it says less than the value. */
function valueOf(vr: string, text: string): string | undefined {
  if (text.startsWith('(no value available)')) return '';
  if (vr === 'SQ') return /#=(\d+)/.exec(text)?.[1];
  // bytes that dcmdump could not turn into UTF-8
  if (text.includes('\u001b') || text.includes('\ufffd')) return undefined;
  if (/^\[.*\]$/s.test(text)) return text.slice(1, -1);
  return text;
}

function isSame(vr: string, ours: string, theirs: string): boolean {
  if (vr === 'OB' || vr === 'UN') return ours.replaceAll(' ', '') === theirs.replaceAll('\\', '');
  if (vr === 'OW') return swapped(ours) === theirs.replaceAll('\\', '');
  if (vr === 'AT') return ours.toLowerCase() === theirs;
  if (vr === 'FL' || vr === 'FD')
    return ours.split('\\').every((one, index) => {
      const [a, b] = [Number(one), Number(theirs.split('\\')[index])];
      return a === b || Math.abs(a - b) <= Math.abs(a) * 1e-5;
    });
  // padding, and what is not text of the file's own character set
  const plain = (text: string): string =>
    text
      .split('\\')
      .map((part) => part.replace(/^ +|[ \0]+$/g, ''))
      .join('\\')
      .trim();
  return plain(ours) === plain(theirs);
}

/** Words as numbers: dcmdump shows the byte that stands last first. */
const swapped = (hex: string): string => {
  const bytes = hex.split(' ');
  return bytes.map((_, index) => bytes[index ^ 1]).join('');
};

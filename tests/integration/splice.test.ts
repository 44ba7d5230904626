/** The splice over every DICOM file that python3-pydicom ships, judged by pydicom, dcmdump and SHA-256. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, globSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  applyEdits,
  inflateFile,
  makeSeries,
  planSplice,
  removeSplice,
  TagStream,
  transferSyntaxes,
  type PrivateTag,
} from '@scanflow/dicom';
import { dcmtk, run } from '@scanflow/testkit';

const TAG: PrivateTag = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' };
const DATA = '/usr/lib/python3/dist-packages/pydicom/data';

interface Tagged {
  readonly path: string;
  readonly original: Buffer;
  /** Of the tagged file. */
  readonly copy: string;
}
let folder = '';
const tagged: Tagged[] = [];
const refused: { readonly name: string; readonly code: string; readonly message: string }[] = [];
/** Texts, programs and archives. */
const others: string[] = [];
const all: string[] = [];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scanflow-splice-'));
  const shipped = globSync(`${DATA}/**/*`, { withFileTypes: true });
  all.push(...shipped.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name)));
  all.push(await unzipped(join(DATA, 'test_files', 'zipMR.gz')));
  all.push(...(await makePhantoms()));
  // every file is tried, whatever its name
  for (const path of all.sort()) {
    const original = await readFile(path);
    const plan = planSplice(original, TAG, true);
    assert.notEqual(plan.kind, 'needMore', path);
    assert.notEqual(plan.kind, 'already', path);
    if (plan.kind === 'refused') {
      const dicom = original.toString('latin1', 128, 132) === 'DICM' || path.endsWith('.dcm');
      if (dicom || plan.code !== 'TAG_NOT_PART10') refused.push({ name: basename(path), ...plan });
      else others.push(basename(path));
    }
    if (plan.kind !== 'splice') continue;
    const copy = join(folder, `${String(tagged.length).padStart(4, '0')}.dcm`);
    await writeFile(copy, new TagStream(TAG).through(createReadStream(path, { highWaterMark: 4096 })));
    tagged.push({ path, original, copy });
  }
});
after(() => rm(folder, { recursive: true, force: true }));

async function unzipped(path: string): Promise<string> {
  const copy = join(folder, 'zipMR.dcm');
  await writeFile(copy, gunzipSync(await readFile(path)));
  return copy;
}

/** One phantom of each kind and syntax, with the private blocks of vendors in the tag's group. */
async function makePhantoms(): Promise<string[]> {
  const when = Temporal.ZonedDateTime.from('2026-11-22T09:00:00+01:00[Europe/Amsterdam]');
  const { explicitVRLittleEndian, implicitVRLittleEndian } = transferSyntaxes;
  const paths: string[] = [];
  for (const modality of ['MR', 'CT', 'SC'] as const) {
    for (const transferSyntax of [explicitVRLittleEndian, implicitVRLittleEndian]) {
      for (const { bytes } of makeSeries({ modality, images: 1, when, seed: 1, transferSyntax })) {
        const path = join(folder, `phantom_${modality}_${transferSyntax}.dcm`);
        await writeFile(path, bytes);
        paths.push(path);
      }
    }
  }
  return paths;
}

test('splice: over pydicom’s files, what is refused is a file that should be', (t) => {
  const table = refused.map(({ name, code, message }) => `${name}: ${code}: ${message}`);
  t.diagnostic(`${tagged.length} files tagged, ${refused.length} refused`);
  for (const line of table) t.diagnostic(line);
  t.diagnostic(`no DICOM files: ${others.sort().join(', ')}`);
  assert.equal(tagged.length + refused.length + others.length, all.length);
  const kinds = /^README$|\.(txt|md|json|gz|dump|pyc?)$/;
  assert.deepEqual(
    others.filter((name) => !kinds.test(name)),
    [],
    'what is this, if no DICOM file?',
  );
  assert.ok(tagged.length >= 164, `${tagged.length} of ${all.length} files are tagged`);
  // each of these was looked at: a space before its data set, no data set, a tag twice, another syntax than it says, an
  // item longer than its sequence
  assert.deepEqual(Object.fromEntries(refused.map(({ name, code }) => [name, code])), {
    'DICOMDIR-nooffset': 'TAG_UNDECODABLE',
    'SC_rgb_jpeg.dcm': 'TAG_UNDECODABLE',
    'meta_missing_tsyntax.dcm': 'TAG_NOT_PART10',
    'no_meta.dcm': 'TAG_NOT_PART10',
    'winter.dcm': 'TAG_OUT_OF_ORDER',
  });
});

test('splice: over pydicom’s files, taking the tag out again gives the original’s SHA-256', async () => {
  for (const { path, original, copy } of tagged) {
    const bytes = await readFile(copy);
    // of a deflated file, the data set counts: two programs deflate it to different bytes
    assert.equal(sha256(removeSplice(bytes, TAG)), sha256(inflateFile(original)), path);
    assert.equal(planSplice(bytes, TAG, true).kind, 'already', path);
  }
});

test('splice: over pydicom’s files, a head and the file’s length are enough, or it says how much more', async (t) => {
  let most = 0;
  for (const { path, original, copy } of tagged) {
    let head = 1024;
    const fileSize = original.length;
    let plan = planSplice(original.subarray(0, head), TAG, false, { fileSize });
    while (plan.kind === 'needMore') {
      head = plan.atLeast;
      plan = planSplice(original.subarray(0, head), TAG, head >= fileSize, { fileSize });
    }
    assert.ok(plan.kind === 'splice', path);
    if (plan.deflatedFrom !== undefined) continue;
    const streamed = [applyEdits(original.subarray(0, head), plan.edits), original.subarray(head)];
    assert.equal(sha256(Buffer.concat(streamed)), sha256(await readFile(copy)), path);
    most = Math.max(most, Math.min(head, fileSize));
  }
  t.diagnostic(`longest head: ${most} bytes`);
});

/** Compares the elements as they stand in the files, undecoded where pydicom leaves them so, and sequences by value. */
const PYDICOM = `
import json, sys, warnings
warnings.simplefilter('ignore')
import pydicom
from pydicom.dataelem import RawDataElement
def plain(e):
    return [str(e.VR), e.value.hex() if e.value is not None else None, e.length] if isinstance(e, RawDataElement) else e
out = []
for path, copy in json.load(sys.stdin):
    try:
        a = pydicom.dcmread(path, force=True)
    except Exception as error:
        out.append({'path': path, 'unreadable': repr(error)})
        continue
    b = pydicom.dcmread(copy, force=True)
    tag = b.private_block(0x21, 'SCANFLOW')
    value = tag[0x10].value
    value = value.decode() if isinstance(value, bytes) else value
    number = tag.get_tag(0x10)
    creator = pydicom.tag.Tag(0x21, number.elem >> 8)
    keep = [t for t in sorted(b._dict) if t not in (number, creator)]
    changed = [str(t) for t in keep if t != 0x00210000 and (t not in a._dict or plain(a._dict[t]) != plain(b._dict[t]))]
    out.append({
        'path': path, 'value': value, 'changed': changed,
        'same': keep == sorted(a._dict) and a.file_meta == b.file_meta and a.preamble == b.preamble,
        'order': [t for t in b._dict] == sorted(b._dict),
    })
json.dump(out, sys.stdout)
`;

interface Verdict {
  readonly path: string;
  readonly unreadable?: string;
  readonly value?: string;
  readonly changed?: readonly string[];
  readonly same?: boolean;
  readonly order?: boolean;
}

test('splice: pydicom reads the tag, and every other element as before', async (t) => {
  const list = join(folder, 'list.json');
  await writeFile(list, JSON.stringify(tagged.map(({ path, copy }) => [path, copy])));
  const script = PYDICOM.replace('sys.stdin', `open(${JSON.stringify(list)})`);
  const { code, stdout, stderr } = await run('/usr/bin/python3', ['-c', script]);
  assert.equal(code, 0, stderr);
  const verdicts = JSON.parse(stdout) as Verdict[];
  assert.equal(verdicts.length, tagged.length);
  for (const { path, ...verdict } of verdicts) {
    if (verdict.unreadable !== undefined)
      t.diagnostic(`pydicom cannot read ${basename(path)}: ${verdict.unreadable}`);
    else assert.deepEqual(verdict, { value: TAG.value, changed: [], same: true, order: true }, path);
  }
  assert.ok(verdicts.filter(({ unreadable }) => unreadable !== undefined).length < 5);
});

test('splice: dcmdump shows two elements more, at their place, and nothing else', async (t) => {
  /** One program for all files; each one's lines, none of a file that it cannot read. */
  const dump = async (paths: readonly string[]): Promise<string[][]> => {
    const { stdout } = await dcmtk('dcmdump', ['-q', '+F', ...paths]);
    const [, ...files] = stdout.split(/^# dcmdump \(\d+\/\d+\): .*$/m);
    return files.map((lines) => lines.split('\n'));
  };
  const unreadable: string[] = [];
  // implicit VR says nothing of what a private element is, so its bytes are shown
  const creator = /^\(0021,00([0-9a-f]{2})\) LO \[SCANFLOW\]/;
  const element = /^\(0021,([0-9a-f]{2})10\) (LO \[DICOM send\]|\?\? 44\\49\\43\\4f\\4d\\20\\73\\65\\6e\\64)/;
  const ours = (line: string): boolean => creator.test(line) || element.test(line);
  const length = (line: string): string => line.replace(/^(\(0021,0000\) UL) \d+ +#/, '$1 #');
  const originals = await dump(tagged.map(({ path }) => path));
  const copies = await dump(tagged.map(({ copy }) => copy));
  assert.deepEqual([originals.length, copies.length], [tagged.length, tagged.length]);
  for (const [index, { path }] of tagged.entries()) {
    const before = originals[index] ?? [];
    const now = copies[index] ?? [];
    if (!before.some((line) => line.startsWith('('))) {
      unreadable.push(basename(path));
      assert.deepEqual(now, before, path);
      continue;
    }
    const added = now.filter(ours);
    assert.equal(added.length, 2, path);
    assert.equal(creator.exec(added[0] ?? '')?.[1], element.exec(added[1] ?? '')?.[1], path);
    assert.deepEqual(now.filter((line) => !ours(line)).map(length), before.map(length), path);
    const tags = now.map((line) => /^\(([0-9a-f]{4},[0-9a-f]{4})\)/.exec(line)?.[1]);
    const top = tags.filter((tag) => tag !== undefined && !/^(fffe|0002)/.test(tag));
    assert.deepEqual(top, [...top].sort(), `${path} is in order`);
  }
  t.diagnostic(`dcmdump reads neither the original nor the copy of: ${unreadable.join(', ')}`);
  assert.ok(unreadable.length < 10);
});

/**
 * Fuzzing of the image path, as the streamer uses it: whatever a file is, it comes out with the tag and otherwise byte for byte,
 * or as it was, with a refusal's code; in bounded time and memory. PDUs and commands are read on the way.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotTag, decodeDataSet, DicomDecodeError, inflateFile, readAttributes } from '@scanflow/dicom';
import { planSplice, TagStream, transferSyntaxes, type PrivateTag } from '@scanflow/dicom';
import { run } from '@scanflow/testkit';
import { CommandError, decodeCommand } from '../../packages/dimse/src/message.ts';
import { PduError } from '../../packages/dimse/src/ul/pdu.ts';
import { PduReader } from '../../packages/dimse/src/ul/reader.ts';
import { kinds, makeImage, type ImageCase } from './image-cases.ts';
import { random, type Random } from './random.ts';

export interface ImageFuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly findings: string;
}

export interface ImageFuzzReport {
  readonly seed: number;
  readonly cases: number;
  readonly tagged: number;
  readonly refused: number;
  /** Tagged files that DCMTK read before and after, and found to differ by the tag alone. */
  readonly judged: number;
  readonly slowest: { readonly ms: number; readonly kind: string };
  /** Megabytes at most. */
  readonly memory: number;
  readonly finding?: { readonly file: string; readonly reason: string };
}

const TAG: PrivateTag = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' };
/** What a deflated data set may inflate to here, as a bound of the caller. */
const MAX_INFLATED = 16_000_000;
const MAX_HEAD = 8_000_000;
/** One of so many tagged files is judged by DCMTK. */
const JUDGED = 40;

/** First one file of each kind, then at random for `seconds`; ends early with the first finding. */
export async function fuzzImages({ seconds, seed, findings }: ImageFuzzOptions): Promise<ImageFuzzReport> {
  const r = random(seed);
  const deadline = performance.now() + seconds * 1000;
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-fuzz-'));
  const seen = { cases: 0, tagged: 0, refused: 0, judged: 0, memory: 0, slowest: { ms: 0, kind: '' } };
  try {
    while (performance.now() < deadline || seen.cases < kinds.length) {
      const one = makeImage(r, kinds[seen.cases]);
      const started = performance.now();
      try {
        const outcome = await pass(r, one);
        const ms = performance.now() - started;
        if (ms > seen.slowest.ms) seen.slowest = { ms, kind: one.kind };
        seen[outcome.tagged === undefined ? 'refused' : 'tagged'] += 1;
        if (
          outcome.tagged !== undefined &&
          r.once(JUDGED) &&
          (await isJudged(folder, one.bytes, outcome.tagged))
        )
          seen.judged += 1;
        readElsewhere(r, one.bytes);
      } catch (error) {
        const reason = `${one.kind}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
        return { ...seen, seed, finding: { file: await keep(findings, seed, one), reason } };
      }
      seen.cases += 1;
      seen.memory = Math.max(seen.memory, Math.round(process.memoryUsage.rss() / 1e6));
    }
    return { ...seen, seed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* chunks(r: Random, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = r.pick([bytes.length, 1_000, 65_536, 7]);
  for (let at = 0; at < bytes.length; at += Math.max(size, bytes.length >> 10))
    yield await Promise.resolve(bytes.subarray(at, at + Math.max(size, bytes.length >> 10)));
}

/** Passes a file through the streamer's tag; throws where what comes out is neither of the two. */
async function pass(r: Random, { bytes }: ImageCase): Promise<{ tagged?: Buffer }> {
  const fileSize = r.once(2) ? { fileSize: bytes.length } : {};
  const limits = { maxInflated: MAX_INFLATED, maxHead: MAX_HEAD };
  const look = ({ bytes: head, complete }: { bytes: Uint8Array; complete: boolean }): number | undefined => {
    const read = readAttributes(head, ['PatientID', 'StudyInstanceUID'], { complete });
    return read.kind === 'needMore' && !complete ? read.atLeast : undefined;
  };
  const stream = new TagStream(TAG, { ...limits, ...fileSize, ...(r.once(3) ? { look } : {}) });
  let out: Buffer;
  try {
    out = Buffer.concat(await Array.fromAsync(stream.through(chunks(r, bytes))));
  } catch (error) {
    if (error instanceof CannotTag) return {};
    throw error;
  }
  if (stream.outcome?.kind !== 'tagged') {
    if (!out.equals(bytes))
      throw new Error(`it changed although it was not tagged (${stream.outcome?.kind ?? 'no outcome'})`);
    return {};
  }
  const before = Buffer.from(inflateFile(bytes));
  if (!Buffer.from(inflateFile(out)).equals(withTag(before, bytes)))
    throw new Error('more than the tag changed');
  return { tagged: out };
}

/** What has to come out: every byte as it came, the tag between them, and a group length that counts it (4 bytes). */
function withTag(before: Buffer, bytes: Buffer): Buffer {
  // from the head alone, as where a file's length is not known: what follows the place may be cut short
  const early = planSplice(bytes, TAG, false, { maxHead: MAX_HEAD });
  const plan = early.kind === 'needMore' ? planSplice(bytes, TAG, true, { maxHead: MAX_HEAD }) : early;
  if (plan.kind !== 'splice') throw new Error(`planned anew, it is not to be tagged: ${plan.kind}`);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { offset, remove, insert } of plan.edits) {
    if (remove !== 0 && (remove !== 4 || insert.length !== 4))
      throw new Error(`${remove} bytes are taken out`);
    if (remove === 0 && insert.length > 200) throw new Error(`${insert.length} bytes are put in`);
    parts.push(before.subarray(at, offset), insert);
    at = offset + remove;
  }
  return Buffer.concat([...parts, before.subarray(at)]);
}

/** Whether DCMTK reads the file; throws where it does not read the tagged one, or finds more than the tag in it. */
async function isJudged(folder: string, before: Buffer, after: Buffer): Promise<boolean> {
  const [one, other] = [join(folder, 'before.dcm'), join(folder, 'after.dcm')];
  await writeFile(one, before);
  await writeFile(other, after);
  const was = await dump(one);
  if (was === undefined) return false;
  const is = await dump(other);
  if (is === undefined) throw new Error('dcmdump read the file, and does not read it with the tag');
  const ours = is.filter((line) => !/^\(0021,00/.test(line) && !/^\(0021,\w\w10\) .*DICOM send/.test(line));
  const theirs = was.filter((line) => !/^\(0021,00/.test(line));
  if (ours.join('\n') !== theirs.join('\n')) throw new Error('dcmdump finds more than the tag changed');
  return true;
}

async function dump(file: string): Promise<string[] | undefined> {
  const { code, stdout, stderr } = await run('dcmdump', ['+L', '+R', '2000000', '-E', file], {
    timeoutMs: 30_000,
  });
  if (code !== 0 || /^[EW]:/m.test(stderr)) return undefined;
  return stdout.split('\n').filter((line) => line.startsWith('('));
}

/** The same bytes where others than images come in: only their own errors are thrown. */
function readElsewhere(r: Random, bytes: Buffer): void {
  const some = bytes.subarray(r.int(200), 1_000_000);
  const syntax = r.pick([
    transferSyntaxes.explicitVRLittleEndian,
    transferSyntaxes.implicitVRLittleEndian,
    transferSyntaxes.explicitVRBigEndian,
  ]);
  only(DicomDecodeError, () => decodeDataSet(some, syntax));
  only(CommandError, () => decodeCommand(some.subarray(0, 16_384)));
  only(PduError, () => {
    const reader = new PduReader({ dataBytes: 131_072, associateBytes: 131_072 });
    const pdu = Buffer.concat([
      Buffer.from([1 + r.int(7), 0, 0, 0, (some.length >> 8) & 0xff, some.length & 0xff]),
      some,
    ]);
    for (const { type } of reader.push(pdu)) if (type === 'abort') return;
  });
}

function only(expected: abstract new (...args: never[]) => Error, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof expected)) throw error;
  }
}

async function keep(findings: string, seed: number, { bytes }: ImageCase): Promise<string> {
  await mkdir(findings, { recursive: true });
  const file = join(findings, `image-${seed}.dcm`);
  await writeFile(file, bytes);
  return file;
}

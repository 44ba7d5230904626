/** dcm2niix as a child process: one folder of one series, and the outputs it made, or its own words. */
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readBounded } from '@scanflow/runtime';
import { FailureError, transient } from '@scanflow/failure';
import type { Output, Part } from '@scanflow/bids';
import { runProgram } from './command.ts';
import { writeNew } from './files.ts';
import type { Program } from './types.ts';

const CODES = { name: 'dcm2niix', missing: 'BIDS_DCM2NIIX_MISSING', timeout: 'BIDS_DCM2NIIX_TIMEOUT' };
const OUTPUT_LIMIT = 1024 * 1024;
const SIDECAR_LIMIT = 16 * 1024 * 1024;
const MAX_OUTPUTS = 10_000;
const MAX_WORDS = 600;

export interface Converted {
  /** What each output is, from its sidecar; sorted by name. */
  readonly outputs: readonly Output[];
  /** All files it wrote, sorted. */
  readonly files: readonly string[];
  readonly folder: string;
  readonly ok: boolean;
  /** Its words about errors, else the last of all; without paths of ours. */
  readonly words: string;
  readonly warnings: readonly string[];
}

/** The version as it says it, such as `v1.0.20220720`. Rejects with FailureError where it does not run. */
export async function dcm2niixVersion(program: Program, signal: AbortSignal): Promise<string> {
  const { stdout } = await runProgram(
    { ...program, command: [...program.command, '--version'], cwd: '/', outputLimit: 65_536 },
    CODES,
    signal,
  );
  const version = /\bv?\d+\.\d+\.\d{8}\b/.exec(stdout)?.[0];
  if (version === undefined)
    throw new FailureError(
      transient('BIDS_DCM2NIIX_MISSING', 'dcm2niix does not say its version. Check its command.'),
    );
  return version.startsWith('v') ? version : `v${version}`;
}

export interface Conversion {
  /** Absolute. */
  readonly source: string;
  /** Files of `source` to convert; it sees no other. */
  readonly files: readonly string[];
  /** An empty or absent folder of ours, for links and outputs. */
  readonly aside: string;
  /** Sidecars alone, which is cheap. */
  readonly sidecarsOnly: boolean;
}

/**
 * Runs it over one series. Rejects with FailureError where it cannot run or takes too long, and with the error of the system where
 * the disk is full; what it says about the images stands in the result.
 */
export async function convertFolder(
  { source, files, aside, sidecarsOnly }: Conversion,
  program: Program,
  signal: AbortSignal,
): Promise<Converted> {
  const [links, folder] = [join(aside, 'in'), join(aside, 'out')];
  await mkdir(links, { recursive: true });
  await mkdir(folder, { recursive: true });
  const width = String(files.length).length;
  for (const [index, file] of files.entries())
    await symlink(resolve(source, file), join(links, `${String(index + 1).padStart(width, '0')}.dcm`));
  const options = ['-b', sidecarsOnly ? 'o' : 'y', '-ba', 'n', '-z', 'n', '-d', '0', '-f', 'out'];
  const ran = await runProgram(
    {
      ...program,
      command: [...program.command, ...options, '-o', folder, links],
      cwd: aside,
      outputLimit: OUTPUT_LIMIT,
    },
    CODES,
    signal,
  );
  await requireRoom(aside);
  const made = (await readdir(folder)).sort();
  const lines = linesOf(`${ran.stdout}\n${ran.stderr}`, aside);
  const names = made.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
  const outputs: Output[] = [];
  for (const name of names.slice(0, MAX_OUTPUTS)) outputs.push(await outputOf(folder, name));
  return {
    outputs,
    files: made,
    folder,
    ok: ran.code === 0 && names.length <= MAX_OUTPUTS,
    words: wordsOf(lines, ran.code, ran.signal),
    warnings: lines.filter((line) => /^warning/i.test(line)).slice(0, 20),
  };
}

const PROBE = Buffer.alloc(64 * 1024);

/** dcm2niix goes on where the disk is full: its files are cut. Rejects with the error of the system where no more can be written. */
async function requireRoom(aside: string): Promise<void> {
  const probe = join(aside, 'room');
  await writeNew(probe, PROBE);
  await rm(probe);
}

/** Paths of ours would make the same words different each time. */
function linesOf(text: string, aside: string): string[] {
  return text
    .split('\n')
    .map((line) =>
      line.replaceAll(`${aside}/out/`, '').replaceAll(`${aside}/in/`, '').replaceAll(aside, '').trim(),
    )
    .filter((line) => line !== '' && !/^(Chris Rorden|Conversion required|Found \d+ DICOM)/.test(line));
}

function wordsOf(lines: readonly string[], code: number | null, signal: string | null): string {
  const errors = lines.filter((line) =>
    /error|unable|unsupported|not supported|no valid|missing/i.test(line),
  );
  const chosen = errors.length > 0 ? errors : lines.slice(-3);
  const end = signal === null ? `exit code ${code ?? '?'}` : `ended by ${signal}`;
  return `${[...new Set(chosen)].join(' · ').slice(0, MAX_WORDS) || 'no word'} (${end})`;
}

async function outputOf(folder: string, name: string): Promise<Output> {
  const bytes = await readBounded(join(folder, `${name}.json`), SIDECAR_LIMIT);
  const value: unknown = bytes.length > SIDECAR_LIMIT ? {} : parsed(bytes.toString());
  return describe(name, isRecord(value) ? value : {});
}

/** dcm2niix writes `nan` and `inf`, which JSON does not have. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    try {
      return JSON.parse(text.replaceAll(/([:[,]\s*)-?(?:nan|inf)(?:inity)?(?=\s*[,\]}])/gi, '$1null'));
    } catch {
      return {};
    }
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An output by its sidecar. Pure. */
export function describe(name: string, sidecar: Readonly<Record<string, unknown>>): Output {
  const number = (key: string): number | undefined => {
    const value = sidecar[key];
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const direction = sidecar['PhaseEncodingDirection'];
  const types = sidecar['ImageType'];
  const shim = sidecar['ShimSetting'];
  const imageType = Array.isArray(types) ? types.map(String) : [];
  return {
    name,
    imageType,
    part: partOf(name, imageType),
    echo: number('EchoNumber'),
    echoTime: number('EchoTime'),
    inversionTime: number('InversionTime'),
    phaseEncodingDirection: typeof direction === 'string' ? direction : undefined,
    shim: Array.isArray(shim) && shim.every((one) => typeof one === 'number') ? shim : undefined,
    sidecar,
  };
}

function partOf(name: string, imageType: readonly string[]): Part | undefined {
  const suffix = /_(ph|real|imaginary)(?:[a-z]|_\w+)?$/.exec(name)?.[1];
  const bySuffix = { ph: 'phase', real: 'real', imaginary: 'imag' } as const;
  if (suffix !== undefined) return bySuffix[suffix as keyof typeof bySuffix];
  const has = (...words: readonly string[]): boolean => words.some((word) => imageType.includes(word));
  if (has('P', 'PHASE', 'PHASE MAP')) return 'phase';
  if (has('REAL', 'R')) return 'real';
  if (has('IMAGINARY', 'I')) return 'imag';
  // M_FFE, M_SE … of Philips
  return has('MAGNITUDE') || imageType.some((word) => /^M(_|$)/.test(word)) ? 'mag' : undefined;
}

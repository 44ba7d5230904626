/** A whole MR session for BIDS, with known answers: its series one after the other, in the names of ReproIn or of a vendor. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeSeries, type PhantomInstance, type PhantomOptions } from '@scanflow/dicom';
import { epi, fieldMap, localiser, t1w, type Gradient, type Scan } from './acquisitions.ts';
import { enhanced, physiology, spectroscopy, withoutPixels } from './odd-images.ts';

/** Who is scanned, and when the first series begins. */
export type Scanned = Pick<
  PhantomOptions,
  'worklistItem' | 'patientId' | 'patientName' | 'studyInstanceUid' | 'seed' | 'when'
>;

export interface MrSeries {
  /** What it is, in our words: `bold`, `bold aborted`. */
  readonly what: string;
  readonly seriesNumber: number;
  readonly seriesDescription: string;
  readonly protocolName: string;
  /** Seconds after the session's begin. */
  readonly after: number;
  readonly scan: Scan | OddScan;
}

/** Instances that no phantom of an image makes. */
export type OddScan = (plan: PhantomOptions) => Iterable<PhantomInstance>;

/** Six directions and two b0; two shells. */
export const GRADIENTS: readonly Gradient[] = [
  { b: 0 },
  { b: 1000, direction: [1, 0, 0] },
  { b: 1000, direction: [0, 1, 0] },
  { b: 1000, direction: [0, 0.6, 0.8] },
  { b: 0 },
  { b: 2000, direction: [0.6, 0, 0.8] },
  { b: 2000, direction: [0, 0, 1] },
  { b: 2000, direction: [0.8, 0.6, 0] },
];

/** Volumes that the protocol of a bold run has. */
export const BOLD_VOLUMES = 6;

const single = (phase: 'AP' | 'PA'): Scan => epi({ volumes: 1, phase });

/** In the order of scanning: what, ReproIn's name, a vendor's name, the scan, and its seconds. `{}` is the vendor's ProtocolName. */
const SESSION = {
  localiser: ['anat-scout', 'localizer', localiser()],
  t1w: ['anat-T1w', 't1_mprage_sag_p2_iso', t1w()],
  'field map magnitude': ['fmap-magnitude', 'gre_field_mapping', fieldMap('magnitude')],
  'field map phase': ['fmap-phasediff', 'gre_field_mapping', fieldMap('phase')],
  'epi AP': ['fmap-epi_dir-AP', 'se_epi_AP', epi({ volumes: 2, phase: 'AP' })],
  'epi PA': ['fmap-epi_dir-PA', 'se_epi_PA', epi({ volumes: 2, phase: 'PA' })],
  sbref: ['func-bold_task-rest_SBRef', 'ep2d_bold_rest_SBRef', single('AP')],
  'bold aborted': ['func-bold_task-rest', 'ep2d_bold_rest', epi({ volumes: 3, planned: BOLD_VOLUMES })],
  bold: ['func-bold_task-rest', 'ep2d_bold_rest', epi({ volumes: BOLD_VOLUMES })],
  'multi-echo': ['func-bold_task-nback', 'ep2d_bold_nback_ME3', epi({ volumes: 4, echoes: [12, 28, 44] })],
  dwi: ['dwi-dwi_dir-AP', 'ep2d_diff_mddw', epi({ volumes: GRADIENTS.length, gradients: GRADIENTS })],
  physiology: ['func-bold_task-rest_PhysioLog', 'ep2d_bold_rest_PhysioLog', physiology],
  spectroscopy: ['mrs-svs_acq-press', 'svs_se_30', spectroscopy],
} as const satisfies Record<string, readonly [reproIn: string, vendor: string, scan: Scan | OddScan]>;

/** Series that tests add: they are in no usual session. */
const ODD = {
  'bold again': ['func-bold_task-rest__dup01', 'ep2d_bold_rest', epi({ volumes: BOLD_VOLUMES })],
  'bold cut': [
    'func-bold_task-cut',
    'ep2d_bold_cut',
    epi({ volumes: 4, planned: BOLD_VOLUMES, mosaic: false, lacking: 3 }),
  ],
  'bold slices': ['func-bold_task-slices', 'ep2d_bold_slices', epi({ volumes: 4, mosaic: false })],
  'dwi slices': [
    'dwi-dwi_acq-slices',
    'ep2d_diff_slices',
    epi({ volumes: GRADIENTS.length, gradients: GRADIENTS, mosaic: false }),
  ],
  'late t2w': ['anat-T2w', 't2_space_sag', t1w(12)],
  unconvertible: ['anat-T2starw', 't2_star', withoutPixels],
  enhanced: ['anat-FLAIR', 't2_flair_enhanced', enhanced],
  unknown: ['My fancy scan', 'wip_tfl_test', t1w(8)],
} as const satisfies Record<string, readonly [reproIn: string, vendor: string, scan: Scan | OddScan]>;

export type MrWhat = keyof typeof SESSION | keyof typeof ODD;

/** What a session holds if nobody asks for more or less. */
export const SESSION_SERIES = Object.keys(SESSION) as readonly (keyof typeof SESSION)[];

/** Between the begins of two series. */
const SECONDS = 60;

export interface SessionOptions {
  /** Whose way of naming protocols; ReproIn by default. */
  readonly names?: 'reproin' | 'vendor';
  readonly series?: readonly MrWhat[];
  /** Number of the first series; 1 by default. */
  readonly first?: number;
}

/**
 * The series of a session, in the order of scanning. ReproIn's name stands in ProtocolName and SeriesDescription, a vendor's in
 * ProtocolName; its SeriesDescription is what the console makes of it.
 */
export function mrSession(options: SessionOptions = {}): readonly MrSeries[] {
  const { names = 'reproin', series = SESSION_SERIES, first = 1 } = options;
  return series.map((what, index) => {
    const [reproIn, vendor, scan] = { ...SESSION, ...ODD }[what];
    const name = names === 'reproin' ? reproIn : vendor;
    return {
      what,
      seriesNumber: first + index,
      seriesDescription: name,
      protocolName: name.replace(/_(SBRef|PhysioLog)$/, ''),
      after: (first - 1 + index) * SECONDS,
      scan,
    };
  });
}

/** The instances of one series. Without a seed it is 1: all series of a session are one study. */
export function scanSeries(
  series: MrSeries,
  scanned: Scanned & Pick<PhantomOptions, 'seriesInstanceUid'>,
): Iterable<PhantomInstance> {
  const { scan, seriesNumber, seriesDescription, protocolName, after } = series;
  const when = scanned.when.add({ seconds: after });
  const common: PhantomOptions = {
    modality: 'MR',
    images: 1,
    seed: 1,
    ...scanned,
    seriesNumber,
    seriesDescription,
    protocolName,
    when,
  };
  return typeof scan === 'function' ? scan(common) : makeSeries({ ...common, ...scan });
}

/**
 * Writes the series into folders of their own, as the streamer lays them out: `ROOT/001-anat-T1w/00001_1.2.3.dcm`.
 * Gives the folders, in the order of the series.
 */
export async function writeMrSession(
  root: string,
  series: readonly MrSeries[],
  scanned: Scanned,
): Promise<{ readonly folder: string; readonly series: MrSeries; readonly files: readonly string[] }[]> {
  const written = [];
  for (const one of series) {
    const name = `${String(one.seriesNumber).padStart(3, '0')}-${one.seriesDescription.replaceAll(/[^\w-]/g, '_')}`;
    const folder = join(root, name);
    await mkdir(folder, { recursive: true });
    const files: string[] = [];
    for (const { bytes, sopInstanceUid } of scanSeries(one, scanned)) {
      const file = join(folder, `${String(files.length + 1).padStart(5, '0')}_${sopInstanceUid}.dcm`);
      await writeFile(file, bytes);
      files.push(file);
    }
    written.push({ folder, series: one, files });
  }
  return written;
}

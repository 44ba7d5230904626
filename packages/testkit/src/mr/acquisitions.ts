/** The acquisitions of an MR session as Siemens scanners up to VE write them, mosaics and CSA headers included. */
import type { AcquiredImage, Acquisition, Attributes, CsaTags } from '@scanflow/dicom';

/** What a series needs besides its names: an acquisition, and how many images it gives. */
export interface Scan {
  readonly acquisition: Acquisition;
  readonly images: number;
  readonly rows: number;
  readonly columns: number;
}

export type Phase = 'AP' | 'PA';

export interface Gradient {
  /** In s/mm². */
  readonly b: number;
  /** A unit vector in the patient's coordinates (left, posterior, head). */
  readonly direction?: readonly [number, number, number];
}

/** The shim of the session: equal in all its series, as after one adjustment. */
const SHIM = {
  'sGRADSPEC.lOffsetX': -2291,
  'sGRADSPEC.lOffsetY': -13,
  'sGRADSPEC.lOffsetZ': 205,
  'sGRADSPEC.alShimCurrent[0]': 301,
  'sGRADSPEC.alShimCurrent[1]': -72,
  'sGRADSPEC.alShimCurrent[2]': 14,
  'sGRADSPEC.alShimCurrent[3]': 66,
  'sGRADSPEC.alShimCurrent[4]': -31,
};

/** Attributes of the phantom's T1-weighted volume that no other acquisition has. */
const NOT_T1: Attributes = { InversionTime: undefined, ScanOptions: null, SequenceVariant: 'SK' };

const MATRIX = 32;
const SLICES = 9;
const EPI_SECONDS = 1;

export interface EpiOptions {
  readonly volumes: number;
  /** As the protocol has it; `volumes` by default. Fewer volumes than these: an aborted run. */
  readonly planned?: number;
  /** Slices that the last volume lacks, if this is no mosaic. */
  readonly lacking?: number;
  /** In ms; one by default. */
  readonly echoes?: readonly number[];
  readonly phase?: Phase;
  readonly mosaic?: boolean;
  /** Rows and columns of a slice; 32 by default. */
  readonly matrix?: number;
  /** 9 by default. */
  readonly slices?: number;
  readonly gradients?: readonly Gradient[];
  readonly vendor?: Acquisition['vendor'];
  readonly attributes?: Attributes;
  /** More of an image, by its volume and echo. */
  readonly more?: (volume: number, echo: number) => Pick<AcquiredImage, 'attributes' | 'privateElements'>;
}

/** Echo-planar imaging: bold, its SBRef, diffusion, and field maps of reversed phase encoding. */
export function epi(options: EpiOptions): Scan {
  const { volumes, planned = volumes, lacking = 0, mosaic = true, vendor = 'siemens' } = options;
  const { echoes = [30], matrix = MATRIX, slices = SLICES } = options;
  const each = mosaic ? 1 : slices;
  const acquisition: Acquisition = {
    vendor,
    slices,
    spacing: 4,
    mosaic,
    attributes: { ...epiAttributes(mosaic, matrix, options.gradients !== undefined), ...options.attributes },
    protocol: { ...SHIM, lRepetitions: planned - 1, 'sFastImaging.lEchoSpacing': 500 },
    image: (index) => {
      const slice = index % each;
      const echo = Math.floor(index / each) % echoes.length;
      const volume = Math.floor(index / (each * echoes.length));
      return epiImage(options, { slice, echo, volume, echoTime: echoes[echo] ?? 30 });
    },
  };
  return {
    acquisition,
    images: volumes * each * echoes.length - lacking,
    rows: matrix,
    columns: matrix,
  };
}

function epiAttributes(mosaic: boolean, matrix: number, diffusion: boolean): Attributes {
  return {
    ...NOT_T1,
    ImageType: [
      'ORIGINAL',
      'PRIMARY',
      ...(diffusion ? ['DIFFUSION', 'NONE'] : ['M']),
      'ND',
      ...(mosaic ? ['MOSAIC'] : []),
    ],
    ScanningSequence: 'EP',
    ScanOptions: 'FS',
    MRAcquisitionType: '2D',
    SequenceName: diffusion ? 'ep_b0' : '*epfid2d1_32',
    RepetitionTime: EPI_SECONDS * 1000,
    EchoTrainLength: matrix,
    PixelBandwidth: 2300,
    FlipAngle: diffusion ? 90 : 60,
    AcquisitionMatrix: [matrix, 0, 0, matrix],
    InPlanePhaseEncodingDirection: 'COL',
  };
}

interface Place {
  readonly slice: number;
  readonly volume: number;
  readonly echo: number;
  readonly echoTime: number;
}

function epiImage(options: EpiOptions, { slice, volume, echo, echoTime }: Place): AcquiredImage {
  const { mosaic = true, gradients, phase = 'AP', echoes = [30], slices = SLICES } = options;
  const gradient = gradients?.[volume];
  const more = options.more?.(volume, echo);
  const within = mosaic ? 0 : timeOf(slice, slices);
  return {
    slice,
    after: volume * EPI_SECONDS + within + (echo / echoes.length) * (EPI_SECONDS / slices),
    attributes: {
      AcquisitionNumber: volume + 1,
      EchoTime: echoTime,
      EchoNumbers: echo + 1,
      ...(gradient && { SequenceName: sequenceOf(gradient, volume) }),
      ...more?.attributes,
    },
    csa: { ...phaseTags(phase), ...(mosaic && mosaicTags(slices)), ...(gradient && gradientTags(gradient)) },
    privateElements: [...(gradient ? headerOf(gradient) : []), ...(more?.privateElements ?? [])],
  };
}

const phaseTags = (phase: Phase): CsaTags => ({
  PhaseEncodingDirectionPositive: ['IS', phase === 'AP' ? '1' : '0'],
  BandwidthPerPixelPhaseEncode: ['FD', '62.50000000'],
});

/** Interleaved: the even slices first. */
function timeOf(slice: number, slices: number): number {
  const rank = slice % 2 === 0 ? slice / 2 : Math.ceil(slices / 2) + (slice - 1) / 2;
  return (rank * EPI_SECONDS) / slices;
}

function mosaicTags(slices: number): CsaTags {
  const times = Array.from({ length: slices }, (_, slice) => (timeOf(slice, slices) * 1000).toFixed(4));
  return { NumberOfImagesInMosaic: ['US', String(slices)], MosaicRefAcqTimes: ['FD', ...times] };
}

function gradientTags({ b, direction }: Gradient): CsaTags {
  return {
    B_value: ['IS', String(b)],
    DiffusionDirectionality: ['CS', direction === undefined ? 'NONE' : 'DIRECTIONAL'],
    ...(direction === undefined
      ? {}
      : { DiffusionGradientDirection: ['FD', ...direction.map((value) => value.toFixed(8))] }),
  };
}

/** The block `SIEMENS MR HEADER`, beside the CSA header. */
const headerOf = ({ b, direction }: Gradient): NonNullable<AcquiredImage['privateElements']> => [
  [0x0019100c, 'IS', String(b)],
  [0x0019100d, 'CS', direction === undefined ? 'NONE' : 'DIRECTIONAL'],
  ...(direction === undefined ? [] : ([[0x0019100e, 'FD', direction]] as const)),
];

const sequenceOf = ({ b }: Gradient, volume: number): string => (b === 0 ? 'ep_b0' : `ep_b${b}#${volume}`);

/** The T1-weighted volume of all phantoms, with the session's protocol. */
export function t1w(slices = 16, matrix = 48): Scan {
  const acquisition: Acquisition = {
    vendor: 'siemens',
    slices,
    spacing: 80 / slices,
    mosaic: false,
    attributes: {},
    protocol: SHIM,
    image: (index) => ({ slice: index, after: index / 100 }),
  };
  return { acquisition, images: slices, rows: matrix, columns: matrix };
}

/** Gradient echo for a field map of phase difference: two magnitudes in one series, or the difference of their phases. */
export function fieldMap(kind: 'magnitude' | 'phase'): Scan {
  const echoes = kind === 'magnitude' ? [4.92, 7.38] : [7.38];
  const acquisition: Acquisition = {
    vendor: 'siemens',
    slices: SLICES,
    spacing: 4,
    mosaic: false,
    attributes: {
      ...NOT_T1,
      ImageType: ['ORIGINAL', 'PRIMARY', kind === 'magnitude' ? 'M' : 'P', 'ND'],
      ScanningSequence: 'GR',
      SequenceVariant: 'SP',
      MRAcquisitionType: '2D',
      SequenceName: '*fm2d2r',
      RepetitionTime: 400,
      FlipAngle: 60,
    },
    protocol: { ...SHIM, lContrasts: 2 },
    image: (index) => ({
      slice: index % SLICES,
      after: index / 100,
      attributes: {
        EchoTime: echoes[Math.floor(index / SLICES)] ?? 0,
        EchoNumbers: kind === 'phase' ? 2 : Math.floor(index / SLICES) + 1,
      },
    }),
  };
  return { acquisition, images: SLICES * echoes.length, rows: MATRIX, columns: MATRIX };
}

const PLANES = [
  { axial: [1, 0, 0, 0, 1, 0], normal: [0, 0, 1] },
  { axial: [0, 1, 0, 0, 0, -1], normal: [-1, 0, 0] },
  { axial: [1, 0, 0, 0, 0, -1], normal: [0, 1, 0] },
] as const;

/** Three planes of three slices each. */
export function localiser(): Scan {
  const acquisition: Acquisition = {
    vendor: 'siemens',
    slices: 9,
    spacing: 10,
    mosaic: false,
    attributes: {
      ...NOT_T1,
      ScanningSequence: 'GR',
      MRAcquisitionType: '2D',
      SequenceName: '*fl2d1',
      RepetitionTime: 20,
      EchoTime: 5,
    },
    protocol: {},
    image: (index) => ({ slice: index % 3, after: index / 2, attributes: planeOf(index) }),
  };
  return { acquisition, images: 9, rows: MATRIX, columns: MATRIX };
}

function planeOf(index: number): Attributes {
  const { axial, normal } = PLANES[Math.floor(index / 3)] ?? PLANES[0];
  const offset = ((index % 3) - 1) * 10;
  const spacing = 240 / MATRIX;
  const back = -((MATRIX - 1) / 2) * spacing;
  const position = [0, 1, 2].map(
    (axis) => offset * (normal[axis] ?? 0) + back * ((axial[axis] ?? 0) + (axial[axis + 3] ?? 0)),
  );
  return { ImageOrientationPatient: axial, ImagePositionPatient: position, SliceLocation: offset };
}

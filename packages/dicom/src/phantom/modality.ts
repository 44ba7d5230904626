/** What sets an MR, a CT and a Secondary Capture image apart: attributes of their modules, and their tissue. */
import type { Attributes } from '../build.ts';
import { sopClasses } from '../uids.ts';
import type { PhantomModality, Plan } from './options.ts';
import type { Palette } from './pixels.ts';

export interface Kind {
  readonly sopClassUid: string;
  readonly vendor: 'siemens' | 'ge';
  /** The same in all images. */
  readonly series: Attributes;
  readonly bytesPerPixel: 1 | 2;
  readonly palette: Palette;
  /** A volume: each image has its place in the patient. */
  readonly volume: boolean;
}

/** PS3.3 C.7.6.3, of one grey sample; `PixelData` stands elsewhere. */
const grey = (bitsAllocated: 8 | 16, bitsStored: number): Attributes => ({
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
  BitsAllocated: bitsAllocated,
  BitsStored: bitsStored,
  HighBit: bitsStored - 1,
  PixelRepresentation: 0,
});

/** PS3.3 C.8.3.1. */
const mr: Kind = {
  sopClassUid: sopClasses.mrImageStorage,
  vendor: 'siemens',
  volume: true,
  bytesPerPixel: 2,
  palette: { air: 8, skull: 60, fluid: 240, grey: 620, white: 820, noise: 18, maximum: 4095 },
  series: {
    ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'ND', 'NORM'],
    Modality: 'MR',
    BodyPartExamined: 'BRAIN',
    Manufacturer: 'SIEMENS',
    ManufacturerModelName: 'Phantom MR',
    ScanningSequence: ['GR', 'IR'],
    SequenceVariant: ['SP', 'MP'],
    ScanOptions: 'PFP',
    MRAcquisitionType: '3D',
    SequenceName: '*tfl3d1_16ns',
    RepetitionTime: 2300,
    EchoTime: 3.03,
    InversionTime: 1100,
    NumberOfAverages: 1,
    ImagingFrequency: 123.256,
    ImagedNucleus: '1H',
    EchoNumbers: 1,
    MagneticFieldStrength: 3,
    EchoTrainLength: 1,
    PercentSampling: 100,
    PercentPhaseFieldOfView: 100,
    PixelBandwidth: 130,
    FlipAngle: 8,
    InPlanePhaseEncodingDirection: 'ROW',
    PatientPosition: 'HFS',
    WindowCenter: 450,
    WindowWidth: 900,
    ...grey(16, 12),
  },
};

/** PS3.3 C.8.2.1. Stored values are Hounsfield units + 1024. */
const ct: Kind = {
  sopClassUid: sopClasses.ctImageStorage,
  vendor: 'ge',
  volume: true,
  bytesPerPixel: 2,
  palette: { air: 24, skull: 1900, fluid: 1034, grey: 1062, white: 1052, noise: 6, maximum: 4095 },
  series: {
    ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
    Modality: 'CT',
    BodyPartExamined: 'HEAD',
    Manufacturer: 'GE MEDICAL SYSTEMS',
    ManufacturerModelName: 'Phantom CT',
    ScanOptions: 'AXIAL MODE',
    KVP: 120,
    DataCollectionDiameter: 250,
    ReconstructionDiameter: 240,
    GantryDetectorTilt: 0,
    TableHeight: 150,
    RotationDirection: 'CW',
    ExposureTime: 1000,
    XRayTubeCurrent: 200,
    Exposure: 200,
    FilterType: 'HEAD FILTER',
    FocalSpots: 1.2,
    ConvolutionKernel: 'STANDARD',
    PatientPosition: 'HFS',
    WindowCenter: 40,
    WindowWidth: 80,
    RescaleIntercept: -1024,
    RescaleSlope: 1,
    RescaleType: 'HU',
    ...grey(16, 12),
  },
};

/** PS3.3 C.8.6: a screenshot. */
const sc: Kind = {
  sopClassUid: sopClasses.secondaryCapture,
  vendor: 'ge',
  volume: false,
  bytesPerPixel: 1,
  palette: { air: 4, skull: 30, fluid: 90, grey: 150, white: 200, noise: 6, maximum: 255 },
  series: {
    ImageType: ['DERIVED', 'SECONDARY'],
    Modality: 'OT',
    BodyPartExamined: 'HEAD',
    ConversionType: 'WSD',
    Manufacturer: 'Scanflow',
    ManufacturerModelName: 'Phantom SC',
    BurnedInAnnotation: 'NO',
    ...grey(8, 8),
  },
};

export const KINDS: Readonly<Record<PhantomModality, Kind>> = { MR: mr, CT: ct, SC: sc };

/** Field of view and distance between slices, in mm. */
const FIELD = 240;
const SPACING = 1.5;

/** Where the images of a volume lie, slice by slice (PS3.3 C.7.4.1, C.7.6.2): one frame of reference, axial. */
export function imagePlane(plan: Plan, index: number): Attributes {
  const spacing = FIELD / Math.max(plan.rows, plan.columns);
  const z = SPACING * (index - (plan.images - 1) / 2);
  const corner = (count: number): number => -((count - 1) / 2) * spacing;
  return {
    SliceThickness: SPACING,
    SpacingBetweenSlices: plan.modality === 'MR' ? SPACING : undefined,
    NumberOfPhaseEncodingSteps: plan.modality === 'MR' ? plan.rows : undefined,
    FrameOfReferenceUID: plan.uid('frame of reference'),
    PositionReferenceIndicator: null,
    ImagePositionPatient: [corner(plan.columns), corner(plan.rows), z],
    ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
    SliceLocation: z,
    PixelSpacing: [spacing, spacing],
  };
}

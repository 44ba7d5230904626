/** Who and what was scanned: the attributes of patient, study, series and equipment, and of each modality. */
import type { DataSet, Element } from '../dataset.ts';
import { tagOf } from '../dictionary.ts';
import { sopClasses } from '../uids.ts';
import { items, text, type Attributes } from '../values.ts';
import { tilesOf, uidFrom, type PhantomModality, type Plan } from './options.ts';
import type { Palette } from './pixels.ts';

const NOTHING: DataSet = new Map();

/** DA and TM of a moment (PS3.5 6.2). */
export function dateAndTime(when: Temporal.ZonedDateTime): { readonly date: string; readonly time: string } {
  const date = when.toPlainDate().toString().replaceAll('-', '');
  const time = when.toPlainTime().toString({ fractionalSecondDigits: 6 }).replaceAll(':', '');
  return { date, time };
}

/** Attributes of Patient, General Study, General Series and General Equipment (PS3.3 C.7.1 to C.7.5). */
export function studyAttributes(plan: Plan): Attributes {
  return { ...patient(plan), ...study(plan), ...series(plan) };
}

function patient({ worklistItem: item = NOTHING, patientId, patientName }: Plan): Attributes {
  return {
    PatientName: patientName ?? text(item, 'PatientName') ?? patientId,
    PatientID: patientId,
    PatientBirthDate: text(item, 'PatientBirthDate') ?? null,
    PatientSex: text(item, 'PatientSex') ?? null,
    PatientWeight: text(item, 'PatientWeight'),
  };
}

function study(plan: Plan): Attributes {
  const { worklistItem: item = NOTHING, when } = plan;
  const { date, time } = dateAndTime(when);
  return {
    StudyDate: date,
    StudyTime: time,
    AccessionNumber: text(item, 'AccessionNumber') ?? null,
    ReferringPhysicianName: text(item, 'ReferringPhysicianName') ?? null,
    RequestingPhysician: text(item, 'RequestingPhysician'),
    StudyDescription: text(item, 'RequestedProcedureDescription') ?? 'Phantom',
    StudyInstanceUID: plan.studyInstanceUid,
    StudyID: text(item, 'RequestedProcedureID') ?? '1',
  };
}

function series(plan: Plan): Attributes {
  const { worklistItem: item = NOTHING, when } = plan;
  const [step = NOTHING] = items(item, 'ScheduledProcedureStepSequence');
  const { date, time } = dateAndTime(when);
  return {
    SeriesDate: date,
    SeriesTime: time,
    StationName: text(step, 'ScheduledStationName') ?? text(step, 'ScheduledStationAETitle') ?? 'PHANTOM',
    SeriesDescription: plan.seriesDescription,
    ProtocolName: plan.protocolName ?? plan.seriesDescription,
    SeriesInstanceUID: plan.seriesInstanceUid,
    SeriesNumber: plan.seriesNumber,
    PerformedProcedureStepStartDate: date,
    PerformedProcedureStepStartTime: time,
    PerformedProcedureStepID: text(step, 'ScheduledProcedureStepID') ?? '1',
    InstitutionName: 'Scanflow',
    DeviceSerialNumber: '12345',
    SoftwareVersions: 'scanflow phantom',
  };
}

const REQUEST = ['AccessionNumber', 'RequestedProcedureID', 'RequestedProcedureDescription'];
const STEP = [
  'ScheduledProcedureStepID',
  'ScheduledProcedureStepDescription',
  'ScheduledProtocolCodeSequence',
];

/** Request Attributes Sequence (PS3.3 table 10-9): an item for each step that the worklist item holds. */
export function requestAttributes({ worklistItem }: Plan): DataSet {
  if (worklistItem === undefined) return NOTHING;
  const request = copied(worklistItem, REQUEST);
  const steps = items(worklistItem, 'ScheduledProcedureStepSequence').map((step) => copied(step, STEP));
  const all = (steps.length === 0 ? [[]] : steps).map((step): DataSet => new Map([...request, ...step]));
  const element: Element = { vr: 'SQ', kind: 'sequence', items: all };
  return new Map([[tagOf('RequestAttributesSequence'), element]]);
}

/** The elements of these keywords that have a value. */
function copied(from: DataSet, keywords: readonly string[]): [number, Element][] {
  return keywords.flatMap((keyword): [number, Element][] => {
    const tag = tagOf(keyword);
    const element = from.get(tag);
    return element === undefined || isEmpty(element) ? [] : [[tag, element]];
  });
}

function isEmpty(element: Element): boolean {
  if (element.kind === 'binary') return element.bytes.length === 0;
  return (element.kind === 'text' ? element.values : element.items).length === 0;
}

/** What sets an MR, a CT and a Secondary Capture image apart: attributes of their modules, and their tissue. */
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
export function imagePlane(plan: Plan, slice: number): Attributes {
  const { acquisition, rows, columns } = plan;
  const spacing = FIELD / Math.max(rows, columns);
  const between = acquisition?.spacing ?? SPACING;
  const z = between * (slice - ((acquisition?.slices ?? plan.images) - 1) / 2);
  // a mosaic has the position that one slice of its size would have
  const tiles = acquisition === undefined ? 1 : tilesOf(acquisition);
  const corner = (count: number): number => -((count * tiles - 1) / 2) * spacing;
  return {
    SliceThickness: between,
    SpacingBetweenSlices: plan.modality === 'MR' ? between : undefined,
    NumberOfPhaseEncodingSteps: plan.modality === 'MR' ? rows : undefined,
    FrameOfReferenceUID:
      acquisition === undefined
        ? plan.uid('frame of reference')
        : uidFrom(`${plan.studyInstanceUid}/frame of reference`),
    PositionReferenceIndicator: null,
    ImagePositionPatient: [corner(columns), corner(rows), z],
    ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
    SliceLocation: z,
    PixelSpacing: [spacing, spacing],
  };
}

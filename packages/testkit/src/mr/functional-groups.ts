/** The functional groups of enhanced MR images and of spectroscopy (PS3.3 C.7.6.16, C.8.13), as little as their IODs allow. */
import { sopClasses, type Attributes } from '@scanflow/dicom';

const SPACING = 240 / 32;
const BETWEEN = 5;

/** DT of a moment (PS3.5 6.2). */
const dateTime = (when: Temporal.ZonedDateTime): string =>
  when.toPlainDateTime().toString({ fractionalSecondDigits: 3 }).replaceAll(/[-:T]/g, '');

const BRAIN = [{ CodeValue: '12738006', CodingSchemeDesignator: 'SCT', CodeMeaning: 'Brain' }];
const ANATOMY = [{ FrameLaterality: 'U', AnatomicRegionSequence: BRAIN }];

/** One dimension: the position in the stack. */
const DIMENSIONS = {
  DimensionOrganizationSequence: [
    { DimensionOrganizationUID: '2.25.117926427254326389152871309254683119047' },
  ],
  DimensionIndexSequence: [
    {
      DimensionOrganizationUID: '2.25.117926427254326389152871309254683119047',
      DimensionIndexPointer: 0x00209057,
      FunctionalGroupPointer: 0x00209111,
    },
  ],
};

const SHARED_OF_BOTH = {
  MRTimingAndRelatedParametersSequence: [
    {
      RepetitionTime: 9000,
      FlipAngle: 150,
      EchoTrainLength: 16,
      RFEchoTrainLength: 16,
      GradientEchoTrainLength: 0,
      SpecificAbsorptionRateSequence: [
        { SpecificAbsorptionRateDefinition: 'IEC_HEAD', SpecificAbsorptionRateValue: 1 },
      ],
      GradientOutputType: 'DB_DT',
      GradientOutput: 40,
      OperatingModeSequence: [{ OperatingModeType: 'RF', OperatingMode: 'IEC_NORMAL' }],
    },
  ],
  MREchoSequence: [{ EffectiveEchoTime: 90 }],
  MRModifierSequence: [
    {
      InversionRecovery: 'YES',
      InversionTimes: 2500,
      FlowCompensation: 'NONE',
      Spoiling: 'NONE',
      T2Preparation: 'NO',
      SpectrallySelectedExcitation: 'NONE',
      SpatialPresaturation: 'NONE',
      PartialFourier: 'NO',
      ParallelAcquisition: 'NO',
    },
  ],
  MRReceiveCoilSequence: [
    {
      ReceiveCoilName: 'Head',
      ReceiveCoilManufacturerName: null,
      ReceiveCoilType: 'VOLUME',
      QuadratureReceiveCoil: 'NO',
    },
  ],
  MRAveragesSequence: [{ NumberOfAverages: 1 }],
  FrameAnatomySequence: ANATOMY,
  MRTransmitCoilSequence: [
    { TransmitCoilName: 'Body', TransmitCoilManufacturerName: null, TransmitCoilType: 'BODY' },
  ],
};

/** What an enhanced image and a spectrum say of themselves (PS3.3 table C.8-81, C.8-110). */
const acquisitionOf = (when: Temporal.ZonedDateTime, seconds: number): Attributes => ({
  AcquisitionDateTime: dateTime(when),
  AcquisitionDuration: seconds * 1000,
  ReferencedPerformedProcedureStepSequence: [
    {
      ReferencedSOPClassUID: sopClasses.modalityPerformedProcedureStep,
      ReferencedSOPInstanceUID: '2.25.254066316062113212421113317423110118306',
    },
  ],
  AcquisitionContextSequence: [],
  ResonantNucleus: '1H',
  KSpaceFiltering: 'NONE',
  MagneticFieldStrength: 3,
  ApplicableSafetyStandardAgency: 'IEC',
  ApplicableSafetyStandardDescription: null,
  InstanceNumber: 1,
  ContentQualification: 'RESEARCH',
  VolumetricProperties: 'VOLUME',
  VolumeBasedCalculationTechnique: 'NONE',
});

/** Of an image of `frames` slices. */
export function enhancedAttributes(when: Temporal.ZonedDateTime, frames: number, size: number): Attributes {
  return {
    ...acquisitionOf(when, frames),
    ...DIMENSIONS,
    ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'NONE'],
    PixelPresentation: 'MONOCHROME',
    ComplexImageComponent: 'MAGNITUDE',
    AcquisitionContrast: 'T2',
    NumberOfFrames: frames,
    Rows: size,
    Columns: size,
    LossyImageCompression: '00',
    PresentationLUTShape: 'IDENTITY',
    BurnedInAnnotation: 'NO',
    PulseSequenceName: 'tse',
    MRAcquisitionType: '2D',
    EchoPulseSequence: 'SPIN',
    MultipleSpinEcho: 'NO',
    MultiPlanarExcitation: 'NO',
    PhaseContrast: 'NO',
    TimeOfFlightContrast: 'NO',
    SteadyStatePulseSequence: 'NONE',
    EchoPlanarPulseSequence: 'NO',
    SaturationRecovery: 'NO',
    SpectrallySelectedSuppression: 'NONE',
    GeometryOfKSpaceTraversal: 'RECTILINEAR',
    SegmentedKSpaceTraversal: 'SINGLE',
    RectilinearPhaseEncodeReordering: 'LINEAR',
    OversamplingPhase: '2D',
    NumberOfKSpaceTrajectories: 1,
    KSpacePartialFourier: undefined,
    SharedFunctionalGroupsSequence: [{ ...SHARED_OF_BOTH, ...sharedOfImages(size) }],
    PerFrameFunctionalGroupsSequence: Array.from({ length: frames }, (_, index) =>
      frame(when, index, frames, size),
    ),
  };
}

const sharedOfImages = (size: number): Attributes => ({
  PixelMeasuresSequence: [
    { PixelSpacing: [SPACING, SPACING], SliceThickness: BETWEEN, SpacingBetweenSlices: BETWEEN },
  ],
  PlaneOrientationSequence: [{ ImageOrientationPatient: [1, 0, 0, 0, 1, 0] }],
  PixelValueTransformationSequence: [{ RescaleIntercept: 0, RescaleSlope: 1, RescaleType: 'US' }],
  FrameVOILUTSequence: [{ WindowCenter: 450, WindowWidth: 900 }],
  MRImageFrameTypeSequence: [
    {
      FrameType: ['ORIGINAL', 'PRIMARY', 'M', 'NONE'],
      PixelPresentation: 'MONOCHROME',
      VolumetricProperties: 'VOLUME',
      VolumeBasedCalculationTechnique: 'NONE',
      ComplexImageComponent: 'MAGNITUDE',
      AcquisitionContrast: 'T2',
    },
  ],
  MRFOVGeometrySequence: [
    {
      InPlanePhaseEncodingDirection: 'ROW',
      MRAcquisitionFrequencyEncodingSteps: size,
      MRAcquisitionPhaseEncodingStepsInPlane: size,
      PercentSampling: 100,
      PercentPhaseFieldOfView: 100,
    },
  ],
  MRImagingModifierSequence: [
    {
      MagnetizationTransfer: 'NONE',
      BloodSignalNulling: 'NO',
      Tagging: 'NONE',
      TransmitterFrequency: 123.256,
      PixelBandwidth: 200,
    },
  ],
});

function frame(when: Temporal.ZonedDateTime, index: number, frames: number, size: number): Attributes {
  const corner = -((size - 1) / 2) * SPACING;
  return {
    FrameContentSequence: [
      {
        FrameAcquisitionNumber: 1,
        FrameReferenceDateTime: dateTime(when),
        FrameAcquisitionDateTime: dateTime(when),
        FrameAcquisitionDuration: 1000,
        StackID: '1',
        InStackPositionNumber: index + 1,
        DimensionIndexValues: index + 1,
      },
    ],
    PlanePositionSequence: [{ ImagePositionPatient: [corner, corner, BETWEEN * (index - (frames - 1) / 2)] }],
  };
}

/** Of one voxel, 512 points. */
export function spectroscopyAttributes(when: Temporal.ZonedDateTime): Attributes {
  return {
    ...acquisitionOf(when, 60),
    ...DIMENSIONS,
    ImageType: ['ORIGINAL', 'PRIMARY', 'SPECTROSCOPY', 'NONE'],
    ComplexImageComponent: 'COMPLEX',
    AcquisitionContrast: 'PROTON_DENSITY',
    ...SPECTROSCOPY,
    NumberOfFrames: 1,
    Rows: 1,
    Columns: 1,
    DataPointRows: 1,
    DataPointColumns: 512,
    DataRepresentation: 'COMPLEX',
    SignalDomainColumns: 'TIME',
    SpectroscopyData: spectrum(512),
    SharedFunctionalGroupsSequence: [{ ...SHARED_OF_BOTH, ...SHARED_OF_SPECTRA }],
    PerFrameFunctionalGroupsSequence: [frame(when, 0, 1, 1)],
  };
}

const VOXEL = 20;
const slab = (orientation: readonly number[]): Attributes => ({
  SlabThickness: VOXEL,
  SlabOrientation: orientation,
  MidSlabPosition: [0, 0, 0],
});

/** PS3.3 tables C.8-109 and C.8-111. */
const SPECTROSCOPY: Attributes = {
  TransmitterFrequency: 123.256,
  SpectralWidth: 1200,
  ChemicalShiftReference: 4.7,
  VolumeLocalizationTechnique: 'PRESS',
  VolumeLocalizationSequence: [slab([1, 0, 0]), slab([0, 1, 0]), slab([0, 0, 1])],
  Decoupling: 'NO',
  TimeDomainFiltering: 'NONE',
  NumberOfZeroFills: 0,
  BaselineCorrection: 'NONE',
  FrequencyCorrection: 'NO',
  FirstOrderPhaseCorrection: 'NO',
  WaterReferencedPhaseCorrection: 'NO',
  PulseSequenceName: 'svs_se',
  MRSpectroscopyAcquisitionType: 'SINGLE_VOXEL',
  EchoPulseSequence: 'SPIN',
  MultipleSpinEcho: 'NO',
  MultiPlanarExcitation: 'NO',
  SteadyStatePulseSequence: 'NONE',
  EchoPlanarPulseSequence: 'NO',
  SpectrallySelectedSuppression: 'WATER',
  GeometryOfKSpaceTraversal: 'RECTILINEAR',
  SegmentedKSpaceTraversal: 'SINGLE',
  RectilinearPhaseEncodeReordering: 'LINEAR',
  NumberOfKSpaceTrajectories: 1,
};

const SHARED_OF_SPECTRA: Attributes = {
  PixelMeasuresSequence: [{ PixelSpacing: [VOXEL, VOXEL], SliceThickness: VOXEL }],
  PlaneOrientationSequence: [{ ImageOrientationPatient: [1, 0, 0, 0, 1, 0] }],
  MRSpectroscopyFrameTypeSequence: [
    {
      FrameType: ['ORIGINAL', 'PRIMARY', 'SPECTROSCOPY', 'NONE'],
      VolumetricProperties: 'VOLUME',
      VolumeBasedCalculationTechnique: 'NONE',
      ComplexImageComponent: 'COMPLEX',
      AcquisitionContrast: 'PROTON_DENSITY',
    },
  ],
  MRSpectroscopyFOVGeometrySequence: [
    {
      SpectroscopyAcquisitionDataColumns: 512,
      SpectroscopyAcquisitionPhaseRows: 1,
      SpectroscopyAcquisitionPhaseColumns: 1,
      SpectroscopyAcquisitionOutOfPlanePhaseSteps: 1,
      PercentSampling: 100,
      PercentPhaseFieldOfView: 100,
    },
  ],
};

/** Complex points of one resonance that decays, as OF. */
function spectrum(points: number): Uint8Array {
  const values = Float32Array.from({ length: points * 2 }, (_, index) => {
    const point = Math.floor(index / 2);
    const phase = point * 0.4;
    return Math.exp(-point / 100) * (index % 2 === 0 ? Math.cos(phase) : Math.sin(phase));
  });
  return new Uint8Array(values.buffer);
}

/** What BIDS 1.10 requires in sidecars of ASL and PET, and no scanner's header says in full. Without it a session would be invalid. */
import type { Output, Target } from './types.ts';

type Values = Readonly<Record<string, unknown>>;

const ASL = [
  ...[
    'ArterialSpinLabelingType',
    'PostLabelingDelay',
    'BackgroundSuppression',
    'M0Type',
    'TotalAcquiredPairs',
  ],
  ...['RepetitionTimePreparation', 'MagneticFieldStrength', 'MRAcquisitionType'],
];
const PET = [
  ...['Manufacturer', 'ManufacturersModelName', 'Units', 'TracerName', 'TracerRadionuclide'],
  ...['ModeOfAdministration', 'InjectedRadioactivity', 'InjectedRadioactivityUnits', 'InjectedMass'],
  ...['InjectedMassUnits', 'SpecificRadioactivity', 'SpecificRadioactivityUnits', 'TimeZero', 'ScanStart'],
  ...['InjectionStart', 'FrameTimesStart', 'FrameDuration', 'AcquisitionMode', 'ImageDecayCorrected'],
  ...['ImageDecayCorrectionTime', 'ReconMethodName', 'ReconMethodParameterLabels', 'ReconFilterType'],
  ...['ReconMethodParameterUnits', 'ReconMethodParameterValues', 'AttenuationCorrection'],
];

function requiredOf({ datatype, suffix }: Target, values: Values): readonly string[] {
  if (datatype === 'pet') return PET;
  if (datatype !== 'perf') return [];
  if (suffix === 'm0scan') return ['EchoTime', 'RepetitionTimePreparation'];
  if (values['ArterialSpinLabelingType'] === 'PASL') return [...ASL, 'BolusCutOffFlag'];
  return [...ASL, 'LabelingDuration'];
}

/** @param metadata what the rule says, over what dcm2niix says */
export function missingMetadata(
  target: Target,
  { sidecar }: Pick<Output, 'sidecar'>,
  metadata: Values,
): string[] {
  const values = { ...sidecar, ...metadata };
  return requiredOf(target, values).filter((key) => values[key] === undefined);
}

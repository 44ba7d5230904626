/** Sidecars: what dcm2niix wrote, the plan's metadata over it, and nothing that names a person or a device. Pure. */

/** Taken out of every sidecar, at any depth, unless the facility names others. */
export const SCRUBBED: readonly string[] = [
  ...[
    'PatientName',
    'PatientID',
    'OtherPatientIDs',
    'OtherPatientNames',
    'PatientBirthDate',
    'PatientBirthTime',
  ],
  ...[
    'PatientSex',
    'PatientAge',
    'PatientWeight',
    'PatientSize',
    'PatientAddress',
    'PatientTelephoneNumbers',
  ],
  ...['PatientComments', 'AdditionalPatientHistory', 'EthnicGroup', 'Occupation', 'MilitaryRank'],
  ...[
    'ReferringPhysicianName',
    'PerformingPhysicianName',
    'RequestingPhysician',
    'OperatorsName',
    'OperatorName',
  ],
  ...['PhysiciansOfRecord', 'NameOfPhysiciansReadingStudy', 'AccessionNumber', 'StudyID', 'StudyInstanceUID'],
  ...[
    'SeriesInstanceUID',
    'FrameOfReferenceUID',
    'AcquisitionDateTime',
    'AcquisitionDate',
    'StudyDate',
    'SeriesDate',
  ],
  ...['ContentDate', 'DeviceSerialNumber', 'GantryID', 'DetectorID', 'InstitutionAddress', 'ImageComments'],
  ...['RequestAttributesSequence', 'StudyDescription'],
];

type Json = Readonly<Record<string, unknown>>;

export interface SidecarInput {
  readonly sidecar: Json;
  /** Wins over the sidecar. A value of null takes a field away. */
  readonly metadata: Json;
  readonly scrub: readonly string[];
}

/** The text of the sidecar: keys in order, two spaces, one newline at the end. */
export function sidecarText({ sidecar, metadata, scrub }: SidecarInput): string {
  const names = new Set(scrub.map((name) => name.toLowerCase()));
  const merged = Object.fromEntries(
    Object.entries({ ...sidecar, ...metadata }).filter(([, value]) => value !== null && value !== undefined),
  );
  return jsonText(scrubbed(mended(merged), names));
}

/** dcm2niix 2022 writes `10:00:0.000000`, which is no time of BIDS. */
function mended(fields: Json): Json {
  const time = fields['AcquisitionTime'];
  if (typeof time !== 'string') return fields;
  return { ...fields, AcquisitionTime: time.replace(/^(\d\d:\d\d:)(\d(?:\.|$))/, '$10$2') };
}

function scrubbed(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((one) => scrubbed(one, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !names.has(key.toLowerCase()))
      .map(([key, one]) => [key, scrubbed(one, names)]),
  );
}

/** The same value gives the same text, in whatever order its keys came. */
export const jsonText = (value: unknown): string => `${JSON.stringify(sorted(value), null, 2)}\n`;

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}

/** The queries that wlmscpfs and Scanflow are both asked, over which items, and where their answers differ on purpose. */
import { dataSet, items, tagOf, type Attributes, type DataSet } from '@scanflow/dicom';
import { item, step } from './worklist-support.ts';

export const SEQUENCE = tagOf('ScheduledProcedureStepSequence');

const at = (local: string) => ({ start: Temporal.ZonedDateTime.from(`${local}[Europe/Amsterdam]`) });
export const with_ = (base: DataSet, more: Attributes): DataSet => new Map([...base, ...dataSet(more)]);
export function withStep(base: DataSet, more: Attributes): DataSet {
  const steps = items(base, 'ScheduledProcedureStepSequence').map((one) => with_(one, more));
  return new Map(base).set(SEQUENCE, { vr: 'SQ', kind: 'sequence', items: steps });
}
const code = (CodeValue: string): Attributes => ({
  CodeValue,
  CodingSchemeDesignator: 'L',
  CodeMeaning: 'Task',
});

export const folderItems: readonly DataSet[] = [
  with_(item('A1', at('2026-11-21T09:30')), {
    PatientBirthDate: '19800229',
    PatientSex: 'F',
    PatientWeight: '70.0',
  }),
  item('B1', { ...at('2026-11-22T08:00'), patientName: 'Müller^Jörg', description: 'Größe' }),
  item('C1', { ...at('2026-11-22T14:00'), stationAet: 'SKYRA', stationName: 'SKYRA', location: 'MR2' }),
  item('D1', { ...at('2026-11-23T11:15'), stationAet: 'CT1', modality: 'CT', patientName: 'Doe^Jane' }),
  with_(item('E1', { ...at('2026-11-24T10:00'), requestingPhysician: 'Roe^Richard' }), {
    RequestedProcedureCodeSequence: [code('T-1')],
    DeviceSerialNumber: '42',
  }),
  withStep(item('F1', at('2026-11-24T16:00')), {
    ScheduledStationAETitle: ['PRISMA', 'SKYRA'],
    ScheduledProtocolCodeSequence: [code('P-1')],
  }),
];

export const REASONS = {
  keyNotMatched: 'Keys that wlmscpfs ignores',
  wildcard: 'Wild cards in station and patient ID',
  nameCase: 'Upper and lower case in names',
  queryCharacterSet: 'Character set of the query',
  unknownKey: 'Keys that an item does not hold',
  emptyCode: 'Empty code sequences',
  characterSet: 'Character set of the answers',
  steps: 'Items of several steps',
  duplicate: 'The same step in two files',
  incomplete: 'Incomplete items',
  unscheduled: 'Files that schedule nothing',
  invented: 'Values that wlmscpfs makes up',
  reversed: 'Ranges that run backwards',
  sequenceFill: 'Sequences asked for as a whole',
  openRange: 'A lone `-` in a date that is no start',
  rangeBlanks: 'Blanks around the `-` of a range',
  twoValues: 'A key that comes twice with two values',
  lateSet: 'Character set behind text that needs it',
  noKeys: 'Identifiers without any key',
  oddZeros: 'An odd number of zeros at the end',
  broken: 'Identifiers that are no data set to their end',
  openPeriod: 'Open ends of a period',
  severalValues: 'Several values in a key',
  timeForms: 'Other forms of dates and times',
  lowerCase: 'Lower case in codes',
  oddLength: 'Odd lengths',
  control: 'Control characters in a key',
  valueZeros: 'NULs behind a value',
  malformed: 'Malformed values of items',
  fileText: 'Text of files outside of its character set',
} as const;

/** What is different, all of it; what is left out is the same on both sides. */
export interface Difference {
  readonly reason: keyof typeof REASONS;
  /** Accession numbers that only one side gives. */
  readonly itemsOfOursOnly?: readonly string[];
  readonly itemsOfTheirsOnly?: readonly string[];
  /** `ACCESSION path VALUE` that only one side's answer has. */
  readonly ours?: readonly string[];
  readonly theirs?: readonly string[];
  /** Statuses, each once. */
  readonly statuses?: readonly [ours: string, theirs: string];
}

const every = (line: string, of = 'A1 B1 C1 D1 E1 F1'): string[] =>
  of.split(' ').map((one) => `${one} ${line}`);
const protocol = 'ScheduledProcedureStepSequence[0].ScheduledProtocolCodeSequence';
const requested = 'RequestedProcedureCodeSequence';
const stepPath = 'ScheduledProcedureStepSequence[0]';
const stepReturns =
  `ScheduledStationAETitle ScheduledProcedureStepStartDate ScheduledProcedureStepStartTime Modality
  ScheduledPerformingPhysicianName ScheduledProcedureStepDescription ScheduledStationName PreMedication
  ScheduledProcedureStepLocation ScheduledProcedureStepID RequestedContrastAgent ScheduledProcedureStepStatus
  CommentsOnTheScheduledProcedureStep`.split(/\s+/);
const rootReturns =
  `PatientBirthDate PatientSex PatientWeight MedicalAlerts Allergies AdmissionID SpecialNeeds
  CurrentPatientLocation RequestedProcedurePriority PatientState PatientTransportArrangements RequestedProcedureID
  ConfidentialityConstraintOnPatientDataDescription ReferringPhysicianName RequestingPhysician
  RequestedProcedureDescription NamesOfIntendedRecipientsOfResults`.split(/\s+/);
const sameStep = [
  step('ScheduledStationAETitle=PRISMA'),
  step('ScheduledProcedureStepStartDate=20261122'),
  step('Modality=MR'),
];

export const cases: [string, string[], Difference?][] = [
  ['everything', []],
  ['station', [step('ScheduledStationAETitle=PRISMA')]],
  ['station with a step for two stations', [step('ScheduledStationAETitle=SKYRA')]],
  ['two stations', [step('ScheduledStationAETitle=PRISMA\\CT1')]],
  ['a station without items', [step('ScheduledStationAETitle=TRIO')]],
  ['modality', [step('Modality=MR')]],
  ['any modality', [step('Modality=*')]],
  ['day', [step('ScheduledProcedureStepStartDate=20261122')]],
  ['days from to', [step('ScheduledProcedureStepStartDate=20261122-20261123')]],
  ['days from', [step('ScheduledProcedureStepStartDate=20261123-')]],
  ['days to', [step('ScheduledProcedureStepStartDate=-20261122')]],
  ['hours of any day', [step('ScheduledProcedureStepStartTime=080000-120000')]],
  ['hour and minute', [step('ScheduledProcedureStepStartTime=1400')]],
  [
    'a period of date and time',
    [
      step('ScheduledProcedureStepStartDate=20261122-20261123'),
      step('ScheduledProcedureStepStartTime=100000-120000'),
    ],
  ],
  [
    'a period whose times run backwards',
    [
      step('ScheduledProcedureStepStartDate=20261121-20261122'),
      step('ScheduledProcedureStepStartTime=120000-090000'),
    ],
  ],
  [
    'a period without an end',
    [
      step('ScheduledProcedureStepStartDate=20261121-20261122'),
      step('ScheduledProcedureStepStartTime=090000-'),
    ],
    { reason: 'openPeriod', itemsOfOursOnly: ['B1', 'C1'] },
  ],
  [
    'a period from a day on, with hours',
    [
      step('ScheduledProcedureStepStartDate=20261123-'),
      step('ScheduledProcedureStepStartTime=100000-120000'),
    ],
    { reason: 'openPeriod', itemsOfOursOnly: ['F1'] },
  ],
  [
    'a period to a day, with hours',
    [
      step('ScheduledProcedureStepStartDate=-20261122'),
      step('ScheduledProcedureStepStartTime=090000-100000'),
    ],
    { reason: 'openPeriod', itemsOfOursOnly: ['B1'] },
  ],
  [
    'a period whose times run backwards, from a day on',
    [
      step('ScheduledProcedureStepStartDate=20261123-'),
      step('ScheduledProcedureStepStartTime=120000-090000'),
    ],
    { reason: 'openPeriod', itemsOfOursOnly: ['E1', 'F1'], statuses: ['ff00 0000', '0000'] },
  ],
  ['hours of one day', [...sameStep, step('ScheduledProcedureStepStartTime=070000-120000')]],
  ['station, day and modality', sameStep],
  ['a date of words', [step('ScheduledProcedureStepStartDate=tomorrow')]],
  ['a date as wild card', [step('ScheduledProcedureStepStartDate=*')]],
  ['performing physician: any', [step('ScheduledPerformingPhysicianName=*')]],
  ['performing physician: nobody has one', [step('ScheduledPerformingPhysicianName=Roe')]],
  ['name', ['PatientName=Doe^Jane']],
  ['name by *', ['PatientName=Doe*']],
  ['name by ?', ['PatientName=D?e^J*']],
  ['patient id', ['PatientID=3010000.01_sub-A1']],
  ['accession number', ['AccessionNumber=A1']],
  ['accession number by ?', ['AccessionNumber=?1']],
  ['requested procedure id', ['RequestedProcedureID=ses-mri01']],
  ['requested procedure id: none', ['RequestedProcedureID=other']],
  ['referring physician: nobody has one', ['ReferringPhysicianName=Doe']],
  ['requesting physician', ['RequestingPhysician=Roe*']],
  ['sex', ['PatientSex=F']],
  ['step with all its attributes', stepReturns.map((key) => step(key))],
  ['all attributes of the root', rootReturns],
  ['empty sequences of references', ['ReferencedStudySequence', 'ReferencedPatientSequence']],
  ['a declared character set without a use', ['SpecificCharacterSet=ISO_IR 192', 'PatientName=Doe*']],

  [
    'station by *',
    [step('ScheduledStationAETitle=PRIS*')],
    { reason: 'wildcard', itemsOfOursOnly: ['A1', 'B1', 'E1', 'F1'], statuses: ['ff00 0000', '0000'] },
  ],
  [
    'patient id by *',
    ['PatientID=*sub-A*'],
    { reason: 'wildcard', itemsOfOursOnly: ['A1'], statuses: ['ff00 0000', '0000'] },
  ],
  [
    'name in another case',
    ['PatientName=dOE*'],
    { reason: 'nameCase', itemsOfOursOnly: ['D1'], statuses: ['ff00 0000', '0000'] },
  ],
  [
    'name in the character set of the query',
    ['SpecificCharacterSet=ISO_IR 192', 'PatientName=Müller*'],
    { reason: 'queryCharacterSet', itemsOfOursOnly: ['B1'], statuses: ['ff00 0000', '0000'] },
  ],
  [
    'study',
    ['StudyInstanceUID=2.25.16689'],
    { reason: 'keyNotMatched', itemsOfTheirsOnly: ['B1', 'C1', 'D1', 'E1', 'F1'] },
  ],
  [
    'two studies',
    ['StudyInstanceUID=2.25.16689\\2.25.16945'],
    { reason: 'keyNotMatched', itemsOfTheirsOnly: ['C1', 'D1', 'E1', 'F1'] },
  ],
  [
    'step id',
    [step('ScheduledProcedureStepID=A1')],
    { reason: 'keyNotMatched', itemsOfTheirsOnly: ['B1', 'C1', 'D1', 'E1', 'F1'] },
  ],
  [
    'description of the procedure',
    ['RequestedProcedureDescription=Memory*'],
    { reason: 'keyNotMatched', itemsOfTheirsOnly: ['B1'] },
  ],
  [
    'code of the procedure',
    [`${requested}[0].CodeValue=T-1`],
    { reason: 'keyNotMatched', itemsOfTheirsOnly: ['A1', 'B1', 'C1', 'D1', 'F1'] },
  ],
  [
    'a range that runs backwards',
    [step('ScheduledProcedureStepStartDate=20261123-20261122')],
    { reason: 'reversed', statuses: ['a900', '0000'] },
  ],
  [
    'an attribute that one item holds',
    ['DeviceSerialNumber'],
    {
      reason: 'unknownKey',
      ours: [...every('DeviceSerialNumber ""', 'A1 B1 C1 D1 F1'), 'E1 DeviceSerialNumber "42"'],
      statuses: ['ff00 0000', 'ff01 0000'],
    },
  ],
  [
    'an attribute that no item holds',
    ['BodyPartExamined'],
    { reason: 'unknownKey', ours: every('BodyPartExamined ""'), statuses: ['ff00 0000', 'ff01 0000'] },
  ],
  [
    'protocol codes at the root, where they do not belong',
    ['ScheduledProtocolCodeSequence[0].CodeValue'],
    { reason: 'unknownKey', statuses: ['ff00 0000', 'ff01 0000'] },
  ],
  [
    'pregnancy status',
    ['PregnancyStatus'],
    { reason: 'invented', ours: every('PregnancyStatus ""'), theirs: every('PregnancyStatus 0400') },
  ],
  [
    'pregnancy status 0, which many libraries send',
    ['PregnancyStatus=0'],
    {
      reason: 'invented',
      ours: every('PregnancyStatus ""'),
      theirs: every('PregnancyStatus 0400'),
      statuses: ['ff01 0000', 'ff00 0000'],
    },
  ],
  [
    'a value of an attribute outside of the model that one item holds',
    ['DeviceSerialNumber=43'],
    {
      reason: 'unknownKey',
      ours: [...every('DeviceSerialNumber ""', 'A1 B1 C1 D1 F1'), 'E1 DeviceSerialNumber "42"'],
    },
  ],
  ['a weight of 0', ['PatientWeight=0'], { reason: 'unknownKey', statuses: ['ff01 0000', 'ff00 0000'] }],
  ['a modality outside the step', ['Modality=CT'], { reason: 'unknownKey', ours: every('Modality ""') }],
  [
    'code of the protocol',
    [step('ScheduledProtocolCodeSequence[0].CodeValue')],
    {
      reason: 'emptyCode',
      theirs: [
        ...every(`${protocol} 1 items`, 'A1 B1 C1 D1 E1'),
        ...every(`${protocol}[0].CodeValue ""`, 'A1 B1 C1 D1 E1'),
      ],
    },
  ],
  [
    'codes of the procedure as a whole',
    [requested],
    { reason: 'sequenceFill', theirs: [`E1 ${requested}[0].CodingSchemeVersion ""`] },
  ],
  [
    'step as a whole',
    ['ScheduledProcedureStepSequence'],
    {
      reason: 'sequenceFill',
      theirs: [
        ...every(`${stepPath}.CommentsOnTheScheduledProcedureStep ""`),
        ...every(`${stepPath}.PreMedication ""`),
        ...every(`${stepPath}.RequestedContrastAgent ""`),
        ...every(`${stepPath}.ScheduledProcedureStepEndDate ""`),
        ...every(`${stepPath}.ScheduledProcedureStepEndTime ""`),
        `F1 ${protocol}[0].CodingSchemeVersion ""`,
      ],
    },
  ],
];

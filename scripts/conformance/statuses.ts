/** Statuses that Scanflow sends, and what it does about those that it gets. */
import { describeStatus, FAILURE_REASONS } from '@scanflow/dicom';
import { facts } from './facts.ts';
import { MPPS_STATUS } from '../../services/worklist/src/domain/mpps.ts';
import {
  CANNOT_UNDERSTAND,
  DOES_NOT_MATCH,
  OUT_OF_RESOURCES,
} from '../../services/receiver/src/domain/orthanc.ts';
import { hex, table } from './markdown.ts';

const { statuses } = facts.scp;

/** Every service: requests that it refuses before it looks at them. */
const GENERAL: readonly (readonly [status: number, when: string])[] = [
  [statuses.sopClassNotSupported, 'the SOP class is not that of the presentation context'],
  [statuses.duplicateInvocation, 'a request with this message ID is being answered'],
  [statuses.unrecognizedOperation, 'the operation does not belong to the SOP class'],
];

export function findStatuses(): string {
  const rows: readonly (readonly [number, string])[] = [
    [statuses.success, 'all answers have been sent'],
    [0xff00, 'an answer'],
    [0xff01, 'an answer; a key had a value and cannot be matched'],
    [0xa700, 'more items match than `worklist.maxAnswers`, which have been sent (with Error Comment)'],
    [
      statuses.dataSetDoesNotMatch,
      'the identifier cannot be decoded, or a key has no value of its kind (with Offending Element and Error Comment)',
    ],
    [
      statuses.unableToProcess,
      'more bytes, elements or values than a query may have, an error of ours, or an answer could not be sent (with Error Comment, and Offending Element where a value is at fault)',
    ],
    [statuses.cancelled, 'C-CANCEL'],
    ...GENERAL,
  ];
  return table(
    ['Status', 'Meaning', 'When'],
    rows.map(([status, when]) => [hex(status), describeStatus('C-FIND', status).meaning, when]),
  );
}

const PERFORMED: Readonly<Record<keyof typeof MPPS_STATUS, string>> = {
  invalidValue:
    'the status of the step is not valid, N-CREATE does not say IN PROGRESS, or N-SET changes what it may not',
  processingFailure:
    'the step has ended (Error ID A710), the data set cannot be decoded, or an error of ours',
  duplicate: 'N-CREATE of a step that exists',
  unknown: 'N-SET of a step that does not',
  missing: 'N-CREATE lacks an attribute',
  missingValue: 'an attribute that needs a value has none',
  notAuthorized: 'N-SET of a step that another scanner created',
  noResources:
    'the disk takes no step, the step is too large, or its caller has too many that run; the scanner may send it again',
};

export function performedStatuses(): string {
  const rows: (readonly [number, string])[] = [
    [statuses.success, 'carried out, and on disk'],
    ...Object.entries(MPPS_STATUS).map(
      ([name, status]) => [status, PERFORMED[name as keyof typeof MPPS_STATUS]] as const,
    ),
    [statuses.invalidSopInstance, 'the SOP Instance UID is not valid'],
    [statuses.mistypedArgument, 'a UID or the data set that the operation needs is missing'],
    ...GENERAL,
  ];
  return table(
    ['Status', 'Meaning', 'When'],
    rows.map(([status, when]) => [hex(status), describeStatus('C-FIND', status).meaning, when]),
  );
}

const STORE: readonly (readonly [code: string, status: number])[] = [
  ['0000', 0x0000],
  ['B000', 0xb000],
  ['B006', 0xb006],
  ['B007', 0xb007],
  ['0110', 0x0110],
  ['0122', 0x0122],
  ['0124', 0x0124],
  ['0213', 0x0213],
  ['A7xx', 0xa700],
  ['A9xx', 0xa900],
  ['Cxxx', 0xc000],
];

/** How the receiver answers C-STORE. */
export function receiverStatuses(): string {
  const rows: readonly (readonly [number, string])[] = [
    [statuses.success, 'Orthanc has stored the image, or has it already with the same data set'],
    [
      DOES_NOT_MATCH,
      'stored by the UIDs of the data set; the request names another SOP class or instance (with Error Comment)',
    ],
    [
      OUT_OF_RESOURCES,
      'not stored, and the scanner may send it again: Orthanc is away, busy or full, or refuses our user; or no room is left here (with Error Comment)',
    ],
    [
      CANNOT_UNDERSTAND,
      'not stored: Orthanc cannot read the data set, there is none, or an error of ours (with Error Comment)',
    ],
    ...GENERAL,
  ];
  return table(
    ['Status', 'Meaning', 'When'],
    rows.map(([status, when]) => [hex(status), describeStatus('C-STORE', status).meaning, when]),
  );
}

export function storeStatuses(): string {
  const behaviour = (status: number): string => {
    const { category, transient } = describeStatus('C-STORE', status);
    if (category === 'success') return 'done';
    if (category === 'warning') return 'done, and in the report';
    return transient ? 'sent again later' : 'this image fails, visibly; the others are sent';
  };
  return table(
    ['Status', 'Meaning', 'What STREAMER does'],
    [
      ...STORE.map(([code, status]) => [code, describeStatus('C-STORE', status).meaning, behaviour(status)]),
      ['any other', 'by its class (PS3.7 annex C)', 'as a warning or as a failure for good'],
    ],
  );
}

const MOVE: readonly (readonly [code: string, status: number, what: string])[] = [
  ['FF00', 0xff00, 'shows the counts and waits for another response'],
  [
    '0000',
    0x0000,
    'queries the target for what arrived; with failed or remaining sub-operations it counts as B000',
  ],
  ['B000', 0xb000, 'queries the target for what arrived, and requests the series that lack images again'],
  ['A701', 0xa701, 'requests it again'],
  ['A702', 0xa702, 'requests it again'],
  ['A801', 0xa801, 'reports it; no other request'],
  ['A9xx', 0xa900, 'reports it; no other request'],
  ['Cxxx', 0xc000, 'requests it again'],
  ['FE00', 0xfe00, 'after our C-CANCEL: reports it as interrupted; else requests it again'],
];

export const moveStatuses = (): string =>
  table(
    ['Status', 'Meaning', 'What COMMAND does'],
    [
      ...MOVE.map(([code, status, what]) => [code, describeStatus('C-MOVE', status).meaning, what]),
      ['any other', 'by its class (PS3.7 annex C)', 'as B000 for warnings, as A9xx for failures'],
    ],
  );

/** N-ACTION. It shares the statuses of C-ECHO, which every service has. */
export const actionStatuses = (): string =>
  table(
    ['Status', 'Meaning', 'What STREAMER does'],
    [
      ...[0x0000, 0x0110, 0x0213].map((status) => [
        hex(status),
        describeStatus('C-ECHO', status).meaning,
        status === 0 ? 'waits for the report' : 'requests it again later',
      ]),
      ['any other', 'by PS3.7 annex C', 'the commitment fails, visibly, until a person retries it'],
    ],
  );

export const failureReasons = (): string =>
  table(
    ['Failure Reason (0008,1197)', 'Meaning', 'What STREAMER does'],
    [
      ...Object.entries(FAILURE_REASONS).map(([reason, { meaning }]) => [
        hex(Number(reason)),
        meaning,
        Number(reason) === 0x0131 ? 'requests it again' : 'sends the image again, and requests it again',
      ]),
      ['any other, or none', '', 'sends the image again, and requests it again'],
    ],
  );

const REPORTS: Readonly<Record<keyof typeof facts.commitment.statuses, string>> = {
  success: 'taken, and on disk; also a report that came before',
  noSuchInstance: 'another instance than the well-known one of storage commitment',
  noSuchEventType: 'an event type other than 1 and 2',
  invalidArgument: 'no Transaction UID, or one that no request to this peer had',
  noResources: 'an error of ours; the report may be sent again',
};

export const reportStatuses = (): string =>
  table(
    ['Status', 'Meaning', 'When'],
    [
      ...Object.entries(REPORTS).map(([name, when]) => {
        const status = facts.commitment.statuses[name as keyof typeof REPORTS];
        return [hex(status), describeStatus('C-ECHO', status).meaning, when];
      }),
      ...GENERAL.map(([status, when]) => [hex(status), describeStatus('C-ECHO', status).meaning, when]),
    ],
  );

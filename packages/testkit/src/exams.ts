/** What a scanner reports of an exam (PS3.4 table F.7.2-1), and the record of an exam: complete; tests change what they need. */
import type { ExamRecord } from '@scanflow/booking';
import type { Attributes } from '@scanflow/dicom';
import dcmjsDimse from 'dcmjs-dimse';

export interface ExamOptions {
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
  readonly stepId?: string;
  readonly stationAet?: string;
  /** When it begins or ends, on the scanner's clock. A service calls an exam that began over a day ago stale. */
  readonly at?: Temporal.ZonedDateTime;
  /** Images of the one series. */
  readonly images?: number;
}

export const SERIES_UID = '1.2.840.99.5';

const BEGINS = Temporal.ZonedDateTime.from('2026-11-22T09:31:12.5[Europe/Amsterdam]');
const ENDS = Temporal.ZonedDateTime.from('2026-11-22T10:15[Europe/Amsterdam]');
/** DA and TM of a time (PS3.5 table 6.2-1). */
const dateOf = (at: Temporal.ZonedDateTime): string => at.toPlainDate().toString().replaceAll('-', '');
const timeOf = (at: Temporal.ZonedDateTime): string => at.toPlainTime().toString().replaceAll(':', '');

/** Attribute list of the N-CREATE. */
export function examBegins({
  accessionNumber = 'A1',
  studyInstanceUid = '2.25.16689',
  stepId = 'A1',
  stationAet = 'PRISMA',
  at = BEGINS,
}: ExamOptions = {}): Attributes {
  return {
    SpecificCharacterSet: 'ISO_IR 100',
    ScheduledStepAttributesSequence: [
      {
        StudyInstanceUID: studyInstanceUid,
        ReferencedStudySequence: [],
        AccessionNumber: accessionNumber,
        RequestedProcedureID: 'ses-mri01',
        RequestedProcedureDescription: 'Memory task',
        ScheduledProcedureStepID: stepId,
        ScheduledProcedureStepDescription: null,
        ScheduledProtocolCodeSequence: [],
      },
    ],
    PatientName: 'Müller^Jörg',
    PatientID: '3010000.01_sub-A1',
    PatientBirthDate: null,
    PatientSex: null,
    ReferencedPatientSequence: [],
    PerformedProcedureStepID: 'PPS1',
    PerformedStationAETitle: stationAet,
    PerformedStationName: null,
    PerformedLocation: null,
    PerformedProcedureStepStartDate: dateOf(at),
    PerformedProcedureStepStartTime: timeOf(at),
    PerformedProcedureStepStatus: 'IN PROGRESS',
    PerformedProcedureStepDescription: null,
    PerformedProcedureTypeDescription: null,
    ProcedureCodeSequence: [],
    PerformedProcedureStepEndDate: null,
    PerformedProcedureStepEndTime: null,
    Modality: 'MR',
    StudyID: 'ses-mri01',
    PerformedProtocolCodeSequence: [],
    PerformedSeriesSequence: [],
  };
}

/** Modification list of the N-SET that ends it. */
export function examEnds(
  state: 'COMPLETED' | 'DISCONTINUED',
  { images = 3, at = ENDS }: ExamOptions = {},
): Attributes {
  return {
    PerformedProcedureStepStatus: state,
    PerformedProcedureStepEndDate: dateOf(at),
    PerformedProcedureStepEndTime: timeOf(at),
    PerformedSeriesSequence: [examSeries(images)],
  };
}

/** An item of Performed Series Sequence. */
export function examSeries(images: number, seriesInstanceUid = SERIES_UID): Attributes {
  return {
    PerformingPhysicianName: null,
    ProtocolName: 't1_mprage',
    OperatorsName: null,
    SeriesInstanceUID: seriesInstanceUid,
    SeriesDescription: 't1_mprage_sag',
    RetrieveAETitle: null,
    ReferencedImageSequence: Array.from({ length: images }, (_, index) => ({
      ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
      ReferencedSOPInstanceUID: `${seriesInstanceUid}.${index + 1}`,
    })),
    ReferencedNonImageCompositeSOPInstanceSequence: [],
  };
}

export const examRecord = (over: Partial<ExamRecord> = {}): ExamRecord => ({
  version: 1,
  sopInstanceUid: '1.1',
  state: 'COMPLETED',
  created: '2026-11-22T10:00:00Z',
  updated: '2026-11-22T11:00:00Z',
  modality: 'MR',
  stationAet: 'PRISMA',
  callingAet: 'PRISMA',
  wrongItem: false,
  links: [],
  items: [],
  series: [],
  attributes: {},
  ...over,
});

interface Call {
  readonly port: number;
  readonly calledAet: string;
  readonly callingAet: string;
  /** Elements by keyword, as dcmjs takes them: numbers and texts, names as `{ Alphabetic }`, items in arrays. */
  readonly elements: Record<string, unknown>;
}

interface Response {
  getStatus(): number;
  hasDataset(): boolean;
  getDataset(): { getElements(): Record<string, unknown> };
}

/** The statuses in the order of the responses, and the elements of those that had some. Throws when none is final. */
export async function askWorklist(
  call: Call,
): Promise<{ statuses: number[]; answers: Record<string, unknown>[] }> {
  const request = dcmjsDimse.requests.CFindRequest.createWorklistFindRequest({});
  request.setDataset(new dcmjsDimse.Dataset(call.elements));
  const statuses: number[] = [];
  const answers: Record<string, unknown>[] = [];
  await exchange(call, request, (response) => {
    statuses.push(response.getStatus());
    if (response.hasDataset()) answers.push(response.getDataset().getElements());
    return response.getStatus() < 0xff00;
  });
  return { statuses, answers };
}

export interface NormalizedCall extends Call {
  readonly sopInstanceUid: string;
}

const MPPS = dcmjsDimse.constants.SopClass.ModalityPerformedProcedureStep;

/** The status of the response. Throws when there is none. */
export async function reportExam(operation: 'N-CREATE' | 'N-SET', call: NormalizedCall): Promise<number> {
  const { NCreateRequest, NSetRequest } = dcmjsDimse.requests;
  const Request = operation === 'N-CREATE' ? NCreateRequest : NSetRequest;
  const request = new Request(MPPS, call.sopInstanceUid);
  request.setDataset(new dcmjsDimse.Dataset(call.elements));
  return (await exchange(call, request, () => true)).getStatus();
}

/** Sends the request; resolves with the response that `isFinal`. Throws when none comes. */
async function exchange(
  { port, callingAet, calledAet }: Call,
  request: Parameters<InstanceType<typeof dcmjsDimse.Client>['addRequest']>[0],
  isFinal: (response: Response) => boolean,
): Promise<Response> {
  const client = new dcmjsDimse.Client();
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  request.on('response', (response: Response) => {
    if (isFinal(response)) resolve(response);
  });
  client.on('networkError', (error: Error) => reject(error));
  client.on('associationRejected', () => reject(new Error('the association was rejected')));
  client.on('closed', () => reject(new Error('closed without a final response')));
  client.addRequest(request);
  client.send('127.0.0.1', port, callingAet, calledAet);
  return promise;
}

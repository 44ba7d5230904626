/** dcmjs-dimse as a scanner that queries its worklist and reports its exams: C-FIND, N-CREATE and N-SET by somebody else's code. */
import dcmjsDimse from 'dcmjs-dimse';

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

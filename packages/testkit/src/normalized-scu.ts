/** dcmjs-dimse as a scanner that reports its exams: N-CREATE and N-SET by somebody else's code. */
import dcmjsDimse from 'dcmjs-dimse';

export interface NormalizedCall {
  readonly port: number;
  readonly calledAet: string;
  readonly callingAet: string;
  readonly sopInstanceUid: string;
  /** Elements by keyword, as dcmjs takes them: numbers and texts, names as `{ Alphabetic }`, items in arrays. */
  readonly elements: Record<string, unknown>;
}

const MPPS = dcmjsDimse.constants.SopClass.ModalityPerformedProcedureStep;

/** The status of the response. Throws when there is none. */
export async function reportExam(operation: 'N-CREATE' | 'N-SET', call: NormalizedCall): Promise<number> {
  const { NCreateRequest, NSetRequest } = dcmjsDimse.requests;
  const Request = operation === 'N-CREATE' ? NCreateRequest : NSetRequest;
  const request = new Request(MPPS, call.sopInstanceUid);
  request.setDataset(new dcmjsDimse.Dataset(call.elements));
  const client = new dcmjsDimse.Client();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request.on('response', (response: { getStatus(): number }) => resolve(response.getStatus()));
  client.on('networkError', (error: Error) => reject(error));
  client.on('associationRejected', () => reject(new Error('the association was rejected')));
  client.on('closed', () => reject(new Error('closed without a response')));
  client.addRequest(request);
  client.send('127.0.0.1', call.port, call.callingAet, call.calledAet);
  return promise;
}

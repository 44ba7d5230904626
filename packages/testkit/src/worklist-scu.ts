/** dcmjs-dimse as a scanner that asks for its worklist: C-FIND by somebody else's code. */
import dcmjsDimse from 'dcmjs-dimse';

export interface WorklistCall {
  readonly port: number;
  readonly calledAet: string;
  readonly callingAet: string;
  /** Elements by keyword, as dcmjs takes them; the query replaces dcmjs-dimse's own by these. */
  readonly elements: Record<string, unknown>;
}

interface Response {
  getStatus(): number;
  hasDataset(): boolean;
  getDataset(): { getElements(): Record<string, unknown> };
}

/** The statuses in the order of the responses, and the elements of those that had some. Throws when none is final. */
export async function askWorklist(
  call: WorklistCall,
): Promise<{ statuses: number[]; answers: Record<string, unknown>[] }> {
  const request = dcmjsDimse.requests.CFindRequest.createWorklistFindRequest({});
  request.setDataset(new dcmjsDimse.Dataset(call.elements));
  const client = new dcmjsDimse.Client();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const statuses: number[] = [];
  const answers: Record<string, unknown>[] = [];
  request.on('response', (response: Response) => {
    statuses.push(response.getStatus());
    if (response.hasDataset()) answers.push(response.getDataset().getElements());
    if (response.getStatus() < 0xff00) resolve(undefined);
  });
  client.on('networkError', (error: Error) => reject(error));
  client.on('associationRejected', () => reject(new Error('the association was rejected')));
  client.on('closed', () => reject(new Error('closed without a final response')));
  client.addRequest(request);
  client.send('127.0.0.1', call.port, call.callingAet, call.calledAet);
  await promise;
  return { statuses, answers };
}

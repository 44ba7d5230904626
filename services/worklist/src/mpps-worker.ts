/** The worker thread of mpps-requests.ts: reads one report after the other. */
import { parentPort } from 'node:worker_threads';
import { DicomDecodeError } from '@scanflow/dicom';
import { readReport, type Report, type Reported } from './domain/mpps-report.ts';

/** What a report became, or why it could not be read: an error loses its class on its way. */
export type Answer =
  Reported | { readonly undecodable: Pick<DicomDecodeError, 'code' | 'offset' | 'message'> };

parentPort?.on('message', (report: Report) => parentPort?.postMessage(answer(report)));

function answer(report: Report): Answer {
  try {
    return readReport(report);
  } catch (error) {
    if (!(error instanceof DicomDecodeError)) throw error;
    const { code, offset, message } = error;
    return { undecodable: { code, offset, message } };
  }
}

/** How the demo's scanners report their exams by MPPS (PS3.4 F.7.2), so that the board shows them while they run. */
import { dataSet, items, newUid, sopClasses, text, type Attributes, type DataSet } from '@scanflow/dicom';
import type { Peer } from '@scanflow/dimse';
import { examBegins, examEnds, examSeries } from '@scanflow/testkit';
import { nCreate, nSet, type NormalizedOutcome } from '@scanflow/testkit/dimse/normalized';
import type { Exams } from './stack.ts';

const sopClass = sopClasses.modalityPerformedProcedureStep;

/** `timezone`: of the scanners' clocks. */
export const reportExams =
  (timezone: string): Exams =>
  async (peer, item, modality, signal) => {
    const sopInstanceUid = newUid();
    const now = (): Temporal.ZonedDateTime => Temporal.Now.zonedDateTimeISO(timezone).round('second');
    const attributes = dataSet(begins(peer, item, modality, now()));
    demandSuccess(peer, 'N-CREATE', await nCreate(peer, { sopClass, sopInstanceUid, attributes }, signal));
    return async (scanned) => {
      const series = scanned.map(({ seriesInstanceUid, seriesDescription, images }) => ({
        ...examSeries(0, seriesInstanceUid),
        SeriesDescription: seriesDescription,
        ProtocolName: seriesDescription,
        ReferencedImageSequence: images.map(({ sopClassUid, sopInstanceUid: uid }) => ({
          ReferencedSOPClassUID: sopClassUid,
          ReferencedSOPInstanceUID: uid,
        })),
      }));
      const modifications = dataSet({
        ...examEnds('COMPLETED', { at: now() }),
        PerformedSeriesSequence: series,
      });
      demandSuccess(peer, 'N-SET', await nSet(peer, { sopClass, sopInstanceUid, modifications }, signal));
    };
  };

/** What the scanner took from its worklist (PS3.17 J: attributes of the worklist in images and MPPS). */
function begins(peer: Peer, item: DataSet, modality: string, at: Temporal.ZonedDateTime): Attributes {
  const [step] = items(item, 'ScheduledProcedureStepSequence');
  return {
    ...examBegins({
      accessionNumber: text(item, 'AccessionNumber') ?? '',
      studyInstanceUid: text(item, 'StudyInstanceUID') ?? '',
      stepId: step === undefined ? '' : (text(step, 'ScheduledProcedureStepID') ?? ''),
      stationAet: peer.callingAet,
      at,
    }),
    PatientName: text(item, 'PatientName') ?? '',
    PatientID: text(item, 'PatientID') ?? '',
    StudyID: text(item, 'RequestedProcedureID') ?? '',
    Modality: modality,
  };
}

function demandSuccess({ callingAet }: Peer, what: string, outcome: NormalizedOutcome): void {
  if (!outcome.ok) throw new Error(`${callingAet}: ${what} of the exam failed: ${outcome.failure.message}`);
  if (outcome.status === 0) return;
  const status = outcome.status.toString(16).padStart(4, '0').toUpperCase();
  throw new Error(`${callingAet}: the worklist service refused ${what} of the exam: status ${status}`);
}

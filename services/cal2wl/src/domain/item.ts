/** A booking record as its worklist item, a file that every worklist server reads. */
import type { BookingRecord } from '@scanflow/booking';
import { defined } from '@scanflow/booking/defined';
import { encodePart10, sopClasses, transferSyntaxes, worklistItem } from '@scanflow/dicom';

/** The scanner as the worklist names it. */
export interface ScannerSettings {
  readonly aet: string;
  readonly modality: string;
  readonly stationName?: string | undefined;
  readonly location?: string | undefined;
  /** Defaults to UTF-8, which holds every text: the worklist converts answers for each scanner. */
  readonly characterSet?: string | undefined;
}

/**
 * The bytes of a Part 10 file (PS3.10 7) in Explicit VR Little Endian. Equal input gives equal bytes. `zone` is the
 * facility's zone: worklist items carry local time.
 */
export function encodeItem(record: BookingRecord, scanner: ScannerSettings, zone: string): Uint8Array {
  const { characterSet = 'ISO_IR 192', aet, modality, stationName = aet, location } = scanner;
  const { accessionNumber, studyInstanceUid, patientId, patientName, operator } = record;
  const item = worklistItem({
    accessionNumber,
    studyInstanceUid,
    patientId,
    patientName,
    requestedProcedureId: record.labels.session,
    description: record.title,
    ...defined({ requestingPhysician: operator }),
    // an SH like the accession number, and as unique: a booking has one step
    scheduledProcedureStepId: accessionNumber,
    stationAet: aet,
    stationName,
    ...defined({ location }),
    modality,
    start: Temporal.Instant.from(record.start).toZonedDateTimeISO(zone),
    characterSet,
  });
  return encodePart10(item, {
    transferSyntax: transferSyntaxes.explicitVRLittleEndian,
    characterSet,
    sopClassUid: sopClasses.modalityWorklistFind,
    sopInstanceUid: `${studyInstanceUid}.1`,
  });
}

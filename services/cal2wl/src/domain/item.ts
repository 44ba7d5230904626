/** A booking record as its worklist item, a file that every worklist server reads. */
import type { BookingRecord } from '@scanflow/booking';
import { encodePart10, sopClasses, transferSyntaxes, worklistItem } from '@scanflow/dicom';

/** The scanner as the worklist names it. */
export interface ScannerSettings {
  readonly aet: string;
  readonly modality: string;
  readonly stationName?: string | undefined;
  readonly location?: string | undefined;
  /** Where absent, UTF-8, which holds everything: the worklist writes what each scanner asks for. */
  readonly characterSet?: string | undefined;
}

/**
 * The bytes of a Part 10 file (PS3.10 7) of Explicit VR Little Endian. Equal input gives equal bytes. `zone` is the
 * facility's: worklist items carry local time.
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
    ...(operator === undefined ? {} : { requestingPhysician: operator }),
    // SH as the accession number, which is unique: one step per booking
    scheduledProcedureStepId: accessionNumber,
    stationAet: aet,
    stationName,
    ...(location === undefined ? {} : { location }),
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

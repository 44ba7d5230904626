/** Registered UIDs (PS3.6 annex A) that Scanflow names, and its own. */

/** Transfer syntaxes (PS3.5 annex A). */
export const transferSyntaxes = {
  implicitVRLittleEndian: '1.2.840.10008.1.2',
  explicitVRLittleEndian: '1.2.840.10008.1.2.1',
  deflatedExplicitVRLittleEndian: '1.2.840.10008.1.2.1.99',
  explicitVRBigEndian: '1.2.840.10008.1.2.2',
  jpegBaseline: '1.2.840.10008.1.2.4.50',
  jpegExtended: '1.2.840.10008.1.2.4.51',
  jpegLossless: '1.2.840.10008.1.2.4.57',
  jpegLosslessFirstOrder: '1.2.840.10008.1.2.4.70',
  jpegLsLossless: '1.2.840.10008.1.2.4.80',
  jpegLsNearLossless: '1.2.840.10008.1.2.4.81',
  jpeg2000Lossless: '1.2.840.10008.1.2.4.90',
  jpeg2000: '1.2.840.10008.1.2.4.91',
  mpeg2: '1.2.840.10008.1.2.4.100',
  mpeg4: '1.2.840.10008.1.2.4.102',
  htj2kLossless: '1.2.840.10008.1.2.4.201',
  htj2kLosslessRpcl: '1.2.840.10008.1.2.4.202',
  htj2k: '1.2.840.10008.1.2.4.203',
  rleLossless: '1.2.840.10008.1.2.5',
} as const;

/** SOP classes (PS3.4 annexes A, B, F, J, K). */
export const sopClasses = {
  verification: '1.2.840.10008.1.1',
  storageCommitmentPush: '1.2.840.10008.1.20.1',
  modalityPerformedProcedureStep: '1.2.840.10008.3.1.2.3.3',
  modalityWorklistFind: '1.2.840.10008.5.1.4.31',
  studyRootFind: '1.2.840.10008.5.1.4.1.2.2.1',
  studyRootMove: '1.2.840.10008.5.1.4.1.2.2.2',
  mrImageStorage: '1.2.840.10008.5.1.4.1.1.4',
  enhancedMrImageStorage: '1.2.840.10008.5.1.4.1.1.4.1',
  mrSpectroscopyStorage: '1.2.840.10008.5.1.4.1.1.4.2',
  ctImageStorage: '1.2.840.10008.5.1.4.1.1.2',
  enhancedCtImageStorage: '1.2.840.10008.5.1.4.1.1.2.1',
  petImageStorage: '1.2.840.10008.5.1.4.1.1.128',
  usImageStorage: '1.2.840.10008.5.1.4.1.1.6.1',
  secondaryCapture: '1.2.840.10008.5.1.4.1.1.7',
  rawDataStorage: '1.2.840.10008.5.1.4.1.1.66',
  siemensCsaNonImage: '1.3.12.2.1107.5.9.1',
} as const;

/** The well-known instance to which requests for storage commitment go (PS3.4 J.3.5). */
export const STORAGE_COMMITMENT_INSTANCE = '1.2.840.10008.1.20.1.1';

/** The DICOM application context (PS3.7 A.2.1). */
export const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';

/** Names this implementation in associations and files (PS3.7 D.3.3.2, PS3.10 7.1); drawn once (PS3.5 B.2). */
export const IMPLEMENTATION_CLASS_UID = '2.25.232903626792356601117187032160059121040';
export const IMPLEMENTATION_VERSION_NAME = 'SCANFLOW_010';

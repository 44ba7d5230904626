/** What the worklist serves beside Verification, and with which limits: the conformance statement reads it too. */
import { sopClasses, transferSyntaxes } from '@scanflow/dicom';

/** In the order of our preference: explicit VRs leave nothing to the peer's dictionary. */
const syntaxes = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
  transferSyntaxes.explicitVRBigEndian,
];

export const servedContexts = [
  {
    abstractSyntax: sopClasses.modalityWorklistFind,
    transferSyntaxes: syntaxes,
    operations: ['C-FIND'],
  },
  {
    abstractSyntax: sopClasses.modalityPerformedProcedureStep,
    transferSyntaxes: syntaxes,
    operations: ['N-CREATE', 'N-SET'],
  },
] as const;

/** Where they are not those of every SCP of ours. */
export const worklistLimits = {
  // the final N-SET of a step names each of its images: some 60,000 of them
  dataSetBytes: 8_388_608,
};

/** C-ECHO as SCP (PS3.7 9.1.5.2). */
import { sopClasses, transferSyntaxes } from '@scanflow/dicom';
import type { ServedContext } from '../ul/negotiation.ts';
import { respond, STATUS, type Service } from './call.ts';

/** Every SCP of ours serves it (PS3.4 A). */
export const VERIFICATION: ServedContext = {
  abstractSyntax: sopClasses.verification,
  transferSyntaxes: [
    transferSyntaxes.implicitVRLittleEndian,
    transferSyntaxes.explicitVRLittleEndian,
    transferSyntaxes.explicitVRBigEndian,
  ],
};

export const echoService: Service = async (call) => {
  await respond(call, { status: STATUS.success });
  return { status: STATUS.success, responses: 0 };
};

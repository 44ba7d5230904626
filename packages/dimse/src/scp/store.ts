/** C-STORE as SCP (PS3.7 9.1.1, PS3.4 B): the service, and the presentation contexts that it accepts. */
import { transferSyntaxes } from '@scanflow/dicom';
import { safe, type FinalStatus, type StoreReceipt } from './types.ts';
import type { Receipt } from '../message/assembler.ts';
import type { ProposedContext } from '../ul/pdu.ts';
import { respond, STATUS, type Call, type Service } from './call.ts';

/** Stores, then answers: nothing is acknowledged that the handler has not stored. */
export const storeService: Service = async (call) => {
  const { receipt } = call.message;
  // without a data set there is nothing to store (PS3.7 9.1.1.1.8)
  const final = isStoreReceipt(receipt)
    ? await stored(receipt, call)
    : { status: STATUS.unableToProcess, comment: 'C-STORE without a data set' };
  await respond(call, final);
  return { status: final.status, responses: 0 };
};

const isStoreReceipt = (receipt: Receipt | undefined): receipt is StoreReceipt =>
  receipt !== undefined && 'store' in receipt;

async function stored(receipt: StoreReceipt, { options, info }: Call): Promise<FinalStatus> {
  try {
    return await receipt.store();
  } catch (error) {
    options.log.error('c-store.handler-failed', { ...info, ...safe(error) });
    return { status: STATUS.unableToProcess, comment: 'The receiver failed' };
  }
}

/**
 * Standard SOP classes that are no storage (PS3.6 annex A), by the start of their UID. Everything else that a sender
 * proposes is taken: classes of manufacturers, and those that the standard will have tomorrow.
 */
const NO_STORAGE: readonly RegExp[] = [
  // verification, directories, notification, commitment, procedure steps and other management
  /^1\.2\.840\.10008\.1\./,
  /^1\.2\.840\.10008\.3\.1\./,
  // print management, but for the stored print and the hardcopy images
  /^1\.2\.840\.10008\.5\.1\.1\.(?!(?:27|29|30)$)/,
  // query and retrieve
  /^1\.2\.840\.10008\.5\.1\.4\.1\.[23]\./,
  /^1\.2\.840\.10008\.5\.1\.4\.20\./,
  // worklist, general purpose worklist, availability, unified procedure step
  /^1\.2\.840\.10008\.5\.1\.4\.31$/,
  /^1\.2\.840\.10008\.5\.1\.4\.32(?:\.|$)/,
  /^1\.2\.840\.10008\.5\.1\.4\.33$/,
  /^1\.2\.840\.10008\.5\.1\.4\.34\.(?:[4-6](?:\.|$)|8$)/,
  // relevant patient information, and queries for templates, palettes, implants, protocols, inventories
  /^1\.2\.840\.10008\.5\.1\.4\.37\./,
  /^1\.2\.840\.10008\.5\.1\.4\.(?:38|39|43|44|45)\.[2-4]$/,
  /^1\.2\.840\.10008\.5\.1\.4\.41$/,
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(?:200\.[4-6]|201\.[2-6])$/,
];

/** Whether a SOP class of a presentation context stores images (PS3.4 B.5). A class that nobody has heard of counts as one. */
export const isStorageClass = (sopClassUid: string): boolean =>
  sopClassUid !== '' && !NO_STORAGE.some((kind) => kind.test(sopClassUid));

/** Preferred where the peer offers a choice: its own bytes, uncompressed, with the VRs of private elements. */
export const PREFERRED: readonly string[] = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
  transferSyntaxes.explicitVRBigEndian,
];

/** The transfer syntax to accept; any is kept as it comes. Undefined: it is no storage, or none was offered. */
export function storageSyntax({
  abstractSyntax,
  transferSyntaxes: offered,
}: ProposedContext): string | undefined {
  if (!isStorageClass(abstractSyntax)) return undefined;
  return PREFERRED.find((uid) => offered.includes(uid)) ?? offered.find((uid) => uid !== '');
}

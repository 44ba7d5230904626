/** C-STORE as SCP (PS3.7 9.1.1, PS3.4 B). */
import type { Receipt } from '../message/assembler.ts';
import { respond, STATUS, type Call, type Service } from './call.ts';
import { safe } from './find.ts';
import type { FinalStatus } from './types.ts';
import type { StoreReceipt } from './types.ts';

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

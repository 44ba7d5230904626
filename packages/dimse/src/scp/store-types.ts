/** What a service that takes C-STORE gives to and gets from listen(). */
import type { Receipt } from '../message/receipt.ts';
import type { AssociationInfo, FinalStatus } from './info.ts';

/** One C-STORE, from its command on. */
export interface StoreRequest {
  readonly association: AssociationInfo;
  /** Of the command: its Affected SOP Class UID, else that of the presentation context. */
  readonly sopClassUid: string;
  /** Of the command; '' where it names none. */
  readonly sopInstanceUid: string;
  /** That of the presentation context. */
  readonly transferSyntax: string;
}

/** Takes the data set as it arrives, then stores it. */
export interface StoreReceipt extends Receipt {
  /** The data set is whole. Its status answers the request; an exception becomes C000. */
  store(): Promise<FinalStatus>;
}

/** Called for each C-STORE; `onRoom` as in Receipt. */
export type StoreHandler = (request: StoreRequest, onRoom: () => void) => StoreReceipt;

/** Where a data set goes while it arrives: for those that are too large for memory, or that others may push out of it. */

/** Takes one data set. */
export interface Receipt {
  /** Takes bytes, and copies them: they change afterwards. False: nothing more is read from the peer until `onRoom`. */
  write(bytes: Uint8Array): boolean;
  /** The data set never became whole, or nobody handles it: everything that it holds is let go. */
  abandon(): void;
}

/** `onRoom` is called once there is room again after write() gave false. */
export type OpenReceipt<R extends Receipt = Receipt> = (onRoom: () => void) => R;

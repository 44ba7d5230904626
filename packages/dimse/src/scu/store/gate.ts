/** Sending that is held back by whoever asked for it: for a rate, or for hours in which nothing is sent. */

/** Holds sending back: what it waits for is waited for between images, and within large ones. */
export interface StoreGate {
  /** Asked before each image. False: neither it nor what comes after it is sent; they fail with SEND_HELD. */
  readonly admits: () => Promise<boolean>;
  /** Asked before each piece of an image: 256 KiB of a file, all of what is in memory already. */
  readonly passes: (bytes: number) => Promise<void>;
}

/** Room in memory for what a peer sends, from its first byte until it is dealt with. */
export interface Room {
  /** Takes room for more bytes. False: there is none, and none was taken. */
  take(bytes: number): boolean;
  /** Gives back room that was taken. */
  give(bytes: number): void;
}

/** For peers that we chose ourselves: only the limits of PDUs and messages hold. */
export const ANY_ROOM: Room = { take: () => true, give: () => undefined };

/** How much the receiver holds at a time of what is not in Orthanc yet: in memory, and on its disk. */

export interface RoomLimits {
  /** Bytes in memory, of all data sets and of one. */
  readonly memoryBytes: number;
  readonly memoryBytesEach: number;
  /** Bytes on disk, of all data sets. */
  readonly diskBytes: number;
}

export const ROOM: RoomLimits = {
  memoryBytes: 128 * 1024 * 1024,
  memoryBytesEach: 8 * 1024 * 1024,
  diskBytes: 64 * 1024 * 1024 * 1024,
};

type Place = 'memory' | 'disk';

/** Counts what is held in each place. */
export class Room {
  readonly #most: Readonly<Record<Place, number>>;
  readonly #held: Record<Place, number> = { memory: 0, disk: 0 };
  /** Bytes of one data set that may lie in memory. */
  readonly each: number;

  constructor({ memoryBytes, memoryBytesEach, diskBytes }: RoomLimits) {
    this.#most = { memory: memoryBytes, disk: diskBytes };
    this.each = memoryBytesEach;
  }

  held(place: Place): number {
    return this.#held[place];
  }

  /** False: there is no room, and nothing was taken. */
  take(place: Place, bytes: number): boolean {
    if (this.#held[place] + bytes > this.#most[place]) return false;
    this.#held[place] += bytes;
    return true;
  }

  give(place: Place, bytes: number): void {
    this.#held[place] -= bytes;
  }
}

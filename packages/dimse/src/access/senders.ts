/** Who called or tried to, for people who look why nothing comes. Bounded: strangers choose AE titles as they like. */

/** As an association shows it. */
export interface Sender {
  readonly callingAet: string;
  readonly calledAet: string;
  readonly address: string;
}

export interface SenderRecord extends Sender {
  /** Associations. */
  readonly count: number;
  /** ISO 8601, UTC. */
  readonly first: string;
  readonly last: string;
  /** Why it was refused; absent where it was admitted. */
  readonly why?: string;
}

export interface SenderList {
  /** Counts an association at `now`. */
  add(sender: Sender, now: string, why?: string): void;
  /** The latest first. */
  all(): SenderRecord[];
  /** Senders that gave way to later ones. */
  readonly dropped: number;
}

/** At most `most` senders; the one that was silent for longest gives way. */
export function senderList(most: number): SenderList {
  const records = new Map<string, SenderRecord>();
  let dropped = 0;
  return {
    add: ({ callingAet, calledAet, address }, now, why) => {
      const key = [callingAet, calledAet, address, why ?? ''].join('\\');
      const { count = 0, first = now } = records.get(key) ?? {};
      const reason = why === undefined ? {} : { why };
      // the order of a Map is that of insertion: the latest stands last
      records.delete(key);
      records.set(key, { callingAet, calledAet, address, count: count + 1, first, last: now, ...reason });
      const [oldest] = records.keys();
      if (records.size <= most || oldest === undefined) return;
      records.delete(oldest);
      dropped += 1;
    },
    all: () => [...records.values()].reverse(),
    get dropped() {
      return dropped;
    },
  };
}

/** Sets of instances, named by instant or by day, as EXDATE and RECURRENCE-ID name them. */
import type { Clock } from './clock.ts';
import { instantOf, type Moment } from './moment.ts';

export class Marks {
  readonly #instants = new Set<number>();
  readonly #days = new Set<string>();

  constructor(moments: readonly Moment[]) {
    for (const moment of moments) {
      if (moment.dateOnly) this.#days.add(moment.wall.toPlainDate().toString());
      else this.#instants.add(instantOf(moment).epochMilliseconds);
    }
  }

  /** Whether the instance that starts at `instant` is among them; days are those of `zone`. */
  has(instant: Temporal.Instant, zone: Clock): boolean {
    if (this.#instants.has(instant.epochMilliseconds)) return true;
    return this.#days.size > 0 && this.#days.has(zone.wallAt(instant).toPlainDate().toString());
  }
}

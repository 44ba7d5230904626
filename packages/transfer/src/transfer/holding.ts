/** What a node holds of a study, and what of it another one lacks. Pure. */

export interface SeriesHolding {
  readonly count: number;
  /** SOP Instance UIDs; undefined where the node does not list them, or not all. */
  readonly uids?: ReadonlySet<string>;
}

/** By Series Instance UID. */
export type Holding = ReadonlyMap<string, SeriesHolding>;

export const imagesIn = (holding: Holding): number =>
  [...holding.values()].reduce((sum, { count }) => sum + count, 0);

/** What of `wanted` is not in `has`: by UIDs where both sides list them, else by the series' counts. */
export function lacking(wanted: Holding, has: Holding): Holding {
  const missing = new Map<string, SeriesHolding>();
  for (const [series, { count, uids }] of wanted) {
    const there = has.get(series);
    if (uids !== undefined && (there === undefined || there.uids !== undefined)) {
      const absent = uids.difference(there?.uids ?? new Set());
      if (absent.size > 0) missing.set(series, { count: absent.size, uids: absent });
    } else if (count > (there?.count ?? 0)) missing.set(series, { count: count - (there?.count ?? 0) });
  }
  return missing;
}

/** Whether UIDs decide what is lacking, and not counts alone. */
export const comparedByUid = (wanted: Holding, has: Holding): boolean =>
  [...wanted].every(
    ([series, { uids }]) => uids !== undefined && (has.get(series)?.uids !== undefined || !has.has(series)),
  );

/** A plan beside what lies in the dataset now: what a conversion would add, remove, rename, or make under the same name. Pure. */
import type { Plan } from './types.ts';

/** A series of the last conversion that came into the dataset. */
export interface WasSeries {
  readonly id: string;
  readonly folder: string;
  /** DICOM images. */
  readonly images: number;
  /** Relative to the dataset, without extension. */
  readonly paths: readonly string[];
}

/** A plan by the rules and images of this moment, as the bids service says it at once. */
export type PlanNow =
  | {
      readonly state: 'made';
      readonly plan: Plan;
      /** DICOM images of each series, by its id. */
      readonly images: Readonly<Record<string, number>>;
      /** What the dataset has of the session; undefined where it has nothing of ours. */
      readonly was?: readonly WasSeries[];
      /** Why the session could not come into the dataset, beside the plan's own conflicts. */
      readonly taken?: { readonly code: string; readonly message: string };
    }
  /** Series are being read; asked again a little later, it is made. */
  | { readonly state: 'under way'; readonly done: number; readonly of: number };

export const CHANGES = ['added', 'removed', 'renamed', 'same'] as const;
export type Change = (typeof CHANGES)[number];

export interface DiffRow {
  readonly change: Change;
  /** Of the series. */
  readonly id: string;
  readonly folder: string;
  readonly before?: string;
  readonly after?: string;
  /** Images that came, or went where it is negative, since the last conversion. */
  readonly moreImages: number;
}

interface Planned {
  readonly plan: {
    readonly series: readonly {
      readonly id: string;
      readonly folder: string;
      readonly outputs: readonly { readonly path: string }[];
    }[];
  };
  readonly images: Readonly<Record<string, number>>;
}

type Sides = Readonly<Record<'before' | 'after', readonly string[]>>;

/** One row for each image, in the order of the plan; series that are no longer in the plan come last. */
export function planDiff(was: readonly WasSeries[], { plan, images }: Planned): DiffRow[] {
  const before = new Map(was.map((one) => [one.id, one]));
  const planned = plan.series.flatMap(({ id, folder, outputs }) => {
    const old = before.get(id);
    const moreImages = old === undefined ? 0 : (images[id] ?? old.images) - old.images;
    return rowsOf({ before: old?.paths ?? [], after: outputs.map(({ path }) => path) }).map((row) => ({
      ...row,
      ...{ id, folder, moreImages },
    }));
  });
  const kept = new Set(plan.series.map(({ id }) => id));
  const gone = was
    .filter(({ id }) => !kept.has(id))
    .flatMap(({ id, folder, paths }) =>
      rowsOf({ before: paths, after: [] }).map((row) => ({ ...row, ...{ id, folder, moreImages: 0 } })),
    );
  return [...planned, ...gone];
}

/** What has another name only is renamed; names beyond the other side's number are added or removed. */
function rowsOf({ before, after }: Sides): Pick<DiffRow, 'change' | 'before' | 'after'>[] {
  const left = before.filter((path) => !after.includes(path));
  const fresh = after.filter((path) => !before.includes(path));
  const renamed = Math.min(left.length, fresh.length);
  return [
    ...after.map((path): Pick<DiffRow, 'change' | 'before' | 'after'> => {
      const index = fresh.indexOf(path);
      if (index === -1) return { change: 'same', before: path, after: path };
      const old = left[index];
      return old === undefined
        ? { change: 'added', after: path }
        : { change: 'renamed', before: old, after: path };
    }),
    ...left.slice(renamed).map((path) => ({ change: 'removed' as const, before: path })),
  ];
}

export function countsOf(rows: readonly DiffRow[]): Readonly<Record<Change, number>> {
  const count = (wanted: Change): number => rows.filter(({ change }) => change === wanted).length;
  return { added: count('added'), removed: count('removed'), renamed: count('renamed'), same: count('same') };
}

/** Whether a conversion would leave the dataset as it is, as far as names and numbers of images show it. */
export const changesNothing = (rows: readonly DiffRow[]): boolean =>
  rows.every(({ change, moreImages }) => change === 'same' && moreImages === 0);

/** Projects that have a root for themselves. */
import { fits } from '../../model/glob.ts';

export interface Home<L> {
  /** A project's label, or several with `*`. */
  readonly projects: string;
  readonly root: string;
  readonly layout: L;
}

/** The home of a project: its own label first, then the longest that fits; undefined where it lives with the others. */
export function homeOf<L>(project: string | undefined, homes: readonly Home<L>[]): Home<L> | undefined {
  if (project === undefined) return undefined;
  const fitting = homes.filter(({ projects }) => fits(projects, project));
  const rank = ({ projects }: Home<L>): number => (projects === project ? Infinity : projects.length);
  return fitting.toSorted((a, b) => rank(b) - rank(a))[0];
}

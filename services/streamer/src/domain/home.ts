/** Projects that have a root for themselves. */

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

/** Piece by piece rather than by a pattern, which could take for ever. */
function fits(projects: string, project: string): boolean {
  const [first = '', ...rest] = projects.split('*');
  const last = rest.pop();
  if (last === undefined) return projects === project;
  if (!project.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = project.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return project.length - last.length >= at && project.endsWith(last);
}

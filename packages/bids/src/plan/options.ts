/** How a project wants its plans; `bids:` of the configuration sets it. */
export interface PlanOptions {
  /** Of several complete takes of one name: `last` wins the plain name, or all get `run-`. */
  readonly repeats: 'last' | 'runs';
  /** How images learn of their field map: BIDS URIs in the map, identifiers in both, or nothing. */
  readonly fieldmaps: readonly ('IntendedFor' | 'B0Field')[];
}

export const PLAN_OPTIONS: PlanOptions = { repeats: 'last', fieldmaps: ['IntendedFor', 'B0Field'] };

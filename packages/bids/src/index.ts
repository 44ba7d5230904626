export type {
  Conflict,
  Decision,
  Entities,
  Geometry,
  Output,
  Part,
  Plan,
  PlannedOutput,
  PlannedSeries,
  SeriesFacts,
  SessionFacts,
  Target,
} from './types.ts';

export { BIDS, bidsOf, bidsUrl, HOOK_WAITS_HOURS, ruleFiles, type BidsConfig } from './bids.ts';
export {
  configLoader,
  watchConfig,
  type ConfigWatch,
  type ConfigWatchOptions,
  loadConfig,
  parseConfig,
  type ConfigResult,
} from './load.ts';
export type { KnownAttributes } from './values.ts';
export {
  bookingRules,
  calendarId,
  calendarNamesById,
  facilityWords,
  labelRules,
  walkInRules,
} from './booking-rules.ts';
export { CHARACTER_SETS, NARROW_SETS, WIDE_SETS } from './values.ts';
export { formatIssue, type ConfigIssue, type ConfigWarning } from './issue.ts';
export { isTemplate, LAYOUTS, layoutTemplate, type Extension } from './layouts.ts';
export { configWarnings, formatWarning, patternsIn, type Surroundings } from './rules.ts';
export { jsonSchema, type Config } from './schema.ts';
export { admits, sendersOf } from './network.ts';
export { defaultTag, serversIn } from './streaming.ts';
export { IT_TOPICS } from './notify.ts';

export {
  adopt,
  calendarRenamed,
  formerName,
  Past,
  type KnownBookings,
  type RenameQuestion,
} from './adopt.ts';
export { createPlanner, fateOf, formerIdIn, type CalendarView, type Fate, type Plan } from './plan.ts';
export { encodeKeeps, keepIdentities, parseKeeps, spanOf, type Keeps } from './reread.ts';

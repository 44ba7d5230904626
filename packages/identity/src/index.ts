export { adopt, type AdoptOptions } from './adopt.ts';
export { fateOf, type CalendarView, type Fate } from './plan.ts';
export { encodeKeeps, parseKeeps, READING, type Keep, type Keeps } from './reread.ts';
export { keepIdentities, spanOf, type KeepInput } from './reread.ts';
export { Past, type KnownBookings } from './past.ts';
export { createPlanner, formerIdIn, type Plan } from './plan.ts';

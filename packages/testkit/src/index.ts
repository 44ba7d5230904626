export { freePort } from './ports.ts';
export { until, type UntilOptions } from './until.ts';

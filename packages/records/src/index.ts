export { bookingFiles, examFiles, readRejected, type RecordFiles } from './files.ts';
export { RecordWatch } from './watch.ts';

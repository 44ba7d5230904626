export { bookingFiles, examFiles, readRejected, type RecordFiles } from './files.ts';
export { RecordWatch, stampOf } from './watch.ts';

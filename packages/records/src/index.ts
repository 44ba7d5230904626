export {
  acceptRemovals,
  bookingFiles,
  examFiles,
  readRejected,
  takeAcceptance,
  type RecordFiles,
} from './files.ts';
export { RecordWatch } from './watch.ts';

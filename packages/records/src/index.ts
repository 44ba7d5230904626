export { bookingFiles, examFiles, readRejected, type FilesOptions } from './kinds.ts';
export {
  RecordFiles,
  type Loaded,
  type Parsed,
  type RecordFormat,
  type RecordFilesOptions,
} from './files.ts';
export { RecordWatch, stampOf, type Look } from './watch.ts';

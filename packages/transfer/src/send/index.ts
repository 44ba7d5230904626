/** C-STORE of files, folders, archives and images at Orthanc: what `scanflow send` does. */
export { countFiles, lookAt, type Input, type OrthancInput } from './inputs.ts';
export type { Notes, NotesOrder } from './notes.ts';
export { sendAll, type Order } from './rounds.ts';
export type { FailedFile, SeriesRow, Tally } from './tally.ts';

/** C-MOVE of studies from an archive to another node, by a list: what `scanflow transfer` does. */
export { dicomSource, dicomTarget } from './dicom-node.ts';
export { openJournal, type Journal } from './journal.ts';
export { transferList, type Progressed, type Result } from './list.ts';
export type { Source, Target } from './nodes.ts';
export type { Row } from './journal.ts';
export { MOST_BYTES, nameOf, readList, type Request } from './requests.ts';
export { viaSource, viaTarget } from './via.ts';

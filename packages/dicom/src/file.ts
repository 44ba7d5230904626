/**
 * What it takes to carry files and to put the tag in, as `@scanflow/dicom/file`: a third of the package, so that a
 * command that only sends begins sooner. All of it is in the package's index, too.
 */
export * from './dataset.ts';
export * from './uids.ts';
export { readAttributes, readUid } from './attributes.ts';
export { fileEnd } from './file-end.ts';
export { readFileHeader } from './locate.ts';
export type { Part10Header } from './part10.ts';
export { number, text } from './values.ts';
export { applyEdits, planSplice, type Edit } from './splice.ts';
export { isTagText, type PrivateTag } from './splice-tag.ts';
export { describeStatus, type DimseService } from './status.ts';

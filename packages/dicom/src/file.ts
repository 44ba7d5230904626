/**
 * What it takes to carry files and to put the tag in, as `@scanflow/dicom/file`: a third of the package, so that a
 * command that only sends begins sooner. All of it is in the package's index, too.
 */
export * from './dataset.ts';
export * from './uids.ts';
export { readAttributes, readUid, type AttributesOptions, type AttributesResult } from './attributes.ts';
export { fileEnd, type BytesAt, type FileEnd } from './file-end.ts';
export { readFileHeader } from './locate.ts';
export { readPart10Header, type NeedsMore, type Part10Header } from './part10.ts';
export { number, text } from './read.ts';
export { applyEdits, planSplice } from './splice.ts';
export type { Edit, SpliceOptions, SplicePlan, SpliceRefusal } from './splice.ts';
export { isTagText, type PrivateTag, type TagElement } from './splice-tag.ts';
export { describeStatus, type DimseService, type StatusCategory, type StatusDescription } from './status.ts';

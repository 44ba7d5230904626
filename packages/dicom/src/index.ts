export * from './dataset.ts';
export {
  attributeVrs,
  formatTag,
  isPrivate,
  isPrivateCreator,
  keywordOf,
  tagOf,
  vrOf,
} from './dictionary.ts';
export { dataSet, makeElement, type Attributes, type AttributeValue } from './build.ts';
export { element, items, number, text, texts, type AttributeName } from './read.ts';
export * from './uids.ts';
export { decodeDataSet, type DecodeOptions } from './decode.ts';
export { encodeDataSet } from './encode.ts';
export { encodePart10, part10Head, type Part10Options } from './encode-part10.ts';
export { declaredTerms, isWritableCharacterSet } from './text-encode.ts';
export { standardTerms } from './character-set-terms.ts';
export { fileLayout, readPart10Header, type NeedsMore, type Part10Header } from './part10.ts';
export { readAttributes, type AttributesOptions, type AttributesResult } from './attributes.ts';
export { applyEdits, planSplice, removeSplice } from './splice.ts';
export type { Edit, SpliceOptions, SplicePlan, SpliceRefusal } from './splice.ts';
export { CannotTag, TagStream } from './splice-stream.ts';
export type { FileHead, TagOutcome, TagStreamOptions } from './splice-stream.ts';
export { elementsOf, isTagText, privateTagOf, utcDateTime } from './splice-tag.ts';
export type { PrivateTag, TagElement, TagText } from './splice-tag.ts';
export { fileEnd, type BytesAt, type FileEnd } from './file-end.ts';
export { inflateFile, readFileHeader } from './locate.ts';
export { makeSeries, type PhantomInstance } from './phantom/series.ts';
export type { PhantomModality, PhantomOptions } from './phantom/options.ts';
export { newUid, uidFrom } from './phantom/uid.ts';
export { fit, limitOf } from './fit.ts';
export { isValidText } from './valid.ts';
export { worklistItem, type WorklistInput } from './worklist-item.ts';
export { worklistAttributes, conditionalSequences } from './worklist-attributes.ts';
export { invalidKeys, matcher, matches, unsupportedKeys, type Matcher, type MatchOptions } from './match.ts';
export { isTemporal, normal as normalTemporal, normalDate, parseRange, type Range } from './match-range.ts';
export { answer, answerer, type Answerer } from './answer.ts';
export {
  commitmentReport,
  commitmentRequest,
  describeFailureReason,
  FAILURE_REASONS,
  readCommitmentReport,
  readCommitmentRequest,
  type CommitmentReport,
  type CommitmentRequest,
  type FailedReference,
  type Reference,
} from './commitment-data.ts';
export { describeStatus, type DimseService, type StatusCategory, type StatusDescription } from './status.ts';
export { fromDicomJson, toDicomJson, type DicomJson } from './dicom-json.ts';
export { recordNotes } from './record-notes.ts';

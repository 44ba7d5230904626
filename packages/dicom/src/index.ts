export * from './dataset.ts';
export { attributeVrs, formatTag, keywordOf, tagOf, vrOf } from './dictionary.ts';
export { dataSet, element, items, makeElement, number, text, texts, type Attributes } from './values.ts';
export * from './uids.ts';
export { decodeDataSet, type DecodeOptions } from './decode.ts';
export { encodeDataSet, encodePart10, part10Head } from './encode.ts';
export { declaredTerms, isWritableCharacterSet } from './text-encode.ts';
export { fileLayout, readPart10Header, type Part10Header } from './part10.ts';
export { readAttributes } from './attributes.ts';
export { applyEdits, planSplice, removeSplice, type Edit } from './splice.ts';
export { CannotTag, TagStream } from './splice-stream.ts';
export { isTagText, privateTagOf, utcDateTime, type PrivateTag, type TagText } from './splice-tag.ts';
export { fileEnd } from './file-end.ts';
export { inflateFile, readFileHeader } from './locate.ts';
export { makeSeries, type PhantomInstance } from './phantom/series.ts';
export type { AcquiredImage, Acquisition, CsaTags, PrivateElement } from './phantom/options.ts';
export { newUid, type PhantomOptions } from './phantom/options.ts';
export { fit, isValidText, limitOf, recordNotes } from './fit.ts';
export { conditionalSequences, worklistAttributes, worklistItem, type WorklistInput } from './worklist.ts';
export { isTemporal, normal as normalTemporal, normalDate, parseRange } from './match-value.ts';
export {
  answer,
  answerer,
  invalidKeys,
  matcher,
  matches,
  unsupportedKeys,
  type MatchOptions,
} from './match.ts';
export {
  commitmentReport,
  commitmentRequest,
  describeFailureReason,
  FAILURE_REASONS,
  readCommitmentReport,
  readCommitmentRequest,
  type CommitmentReport,
  type CommitmentRequest,
  type Reference,
} from './commitment-data.ts';
export { describeStatus, type DimseService } from './status.ts';
export { fromDicomJson, toDicomJson } from './dicom-json.ts';

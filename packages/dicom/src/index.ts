export * from './dataset.ts';
export { formatTag, isPrivate, isPrivateCreator, keywordOf, tagOf, vrOf } from './dictionary.ts';
export { dataSet, makeElement, type Attributes, type AttributeValue } from './build.ts';
export { element, items, number, text, texts, type AttributeName } from './read.ts';
export * from './uids.ts';
export { decodeDataSet, type DecodeOptions } from './decode.ts';
export { encodeDataSet } from './encode.ts';
export { encodePart10, type Part10Options } from './encode-part10.ts';
export { isWritableCharacterSet } from './character-sets.ts';

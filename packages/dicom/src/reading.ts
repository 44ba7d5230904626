/** What it takes to read files and to show them, as `@scanflow/dicom/reading`: it runs in browsers, too. */
export * from './dataset.ts';
export * from './uids.ts';
export { inflate } from '#platform';
export { readAttributes } from './attributes.ts';
export { toJsonModel } from './dicom-json.ts';
export { formatTag, isPrivate, isPrivateCreator, keywordOf } from './dictionary.ts';
export { inflateFile } from './locate.ts';
export { fragments, readFile, type FileRead, type Pixels } from './read.ts';
export { number, numbers, text } from './values.ts';

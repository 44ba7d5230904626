export { array, isId, object, text } from './answers.ts';
export { MD5_OF_NOTHING, type InstanceBody } from './image.ts';
export {
  collected,
  orthancClient,
  type Asked,
  type Exchange,
  type OrthancAccess,
  type OrthancClient,
  type Upload,
} from './client.ts';
export { openImage, type RemoteFile } from './image.ts';
export { findImages, isName, type Level, type RemoteResource, type RemoteSeries } from './lookup.ts';
export { FIRST_VERSION, METADATA, MOST_VERSIONS, versionsAmong } from './notes.ts';
export { createOrthanc } from './orthanc.ts';
export type {
  Change,
  ChangePage,
  FileOfInstance,
  InstanceListing,
  Notes,
  Origin,
  Orthanc,
  SeriesListing,
  SystemInfo,
  Tags,
} from './answers.ts';

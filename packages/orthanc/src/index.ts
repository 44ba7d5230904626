export { array, databaseOf, object, refusedAtStart } from './answers.ts';
export { collected, orthancClient, type OrthancAccess, type OrthancClient, type Upload } from './client.ts';
export { MD5_OF_NOTHING, openImage } from './image.ts';
export { FIRST_VERSION, METADATA, MOST_VERSIONS, versionsAmong } from './notes.ts';
export { createOrthanc, findImages, isName, type Level } from './orthanc.ts';
export type {
  Change,
  ChangePage,
  InstanceBody,
  InstanceListing,
  Notes,
  Origin,
  Orthanc,
  SeriesListing,
  SystemInfo,
} from './answers.ts';

export { array, databaseOf, object, refusedAtStart } from './answers.ts';
export { collected, orthancClient, type OrthancClient } from './client.ts';
export type { OrthancAccess, Upload } from './line.ts';
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
  Server,
  SystemInfo,
} from './answers.ts';

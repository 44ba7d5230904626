export { fileSource } from './files.ts';
export { httpSource, type HttpSourceOptions } from './http.ts';
export { placeOf, type Place, type PlaceSettings } from './place.ts';
export type { Fetched, Source, SourceLimits, Validators } from './source.ts';

/** The types that the streamer's features share. */
export type * from './commitment/types.ts';
export type * from './erase/types.ts';
export type * from './hooks/types.ts';
export type * from './ledger/claim.ts';
export type * from './ledger/rows.ts';
export type { Followers, Ledger } from './ledger/tx.ts';
export type {
  Change,
  ChangePage,
  FileOfInstance,
  InstanceBody,
  InstanceListing,
  Notes,
  Origin,
  Orthanc,
  SeriesListing,
  SystemInfo,
} from '@scanflow/orthanc';
export type * from './rebuild/types.ts';
export type * from './roots/types.ts';
export type * from './send/types.ts';
export type * from './store/types.ts';
export type * from './verify/types.ts';

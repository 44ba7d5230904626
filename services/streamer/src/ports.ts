/** What the streamer's steps need from the outside: the adapters give it, tests and other databases may too. */
export type * from './ports/commitments.ts';
export type * from './ports/erasing.ts';
export type * from './ports/events.ts';
export type * from './ports/ledger.ts';
export type * from './ports/orthanc.ts';
export type * from './ports/recovery.ts';
export type * from './ports/roots.ts';
export type * from './ports/sender.ts';
export type * from './ports/store.ts';
export type * from './verify/types.ts';

export { apiHeaders, createToken, headersOf, tokenFileOf } from './api-token.ts';
export { csvText } from './csv.ts';
export {
  erasureKey,
  erasuresIn,
  markOf,
  openErasures,
  readErasure,
  writeErasure,
  type Erasure,
  type Erasures,
} from './erasures.ts';
export {
  asideName,
  createFileOnce,
  fsyncFolder,
  readBounded,
  readSecret,
  removeLeftovers,
  writeFileAtomic,
} from './files.ts';
export {
  httpAccess,
  startHttp,
  type Health,
  type HttpAccess,
  type HttpOptions,
  type RunningHttp,
} from './http.ts';
export { createLog, type Log, type LogFields, type LogLevel, type LogOptions } from './log.ts';
export { pool, type PoolLimits } from './pool.ts';
export { askRebuild, readRebuild, rebuildDone, type RebuildRequest } from './restore.ts';
export { runService } from './run.ts';
export type { LoadedConfig, RunningService, Service, ServiceConfig, ServiceContext } from './run.ts';
export { sleep } from './sleep.ts';
export { openTlsStore, readTlsFiles } from './tls-files.ts';
export type { TlsFiles, TlsStore, TlsStoreOptions, TlsTexts } from './tls-files.ts';
export { clearUnfinishedRestore, markUnfinishedRestore, requireFinishedRestore } from './restore.ts';
export { XmlError, xmlReader, type XmlHandler, type XmlLimits, type XmlReader } from './xml.ts';
export { Counter, Gauge, Histogram, Registry } from 'prom-client';
export type { FastifyInstance } from 'fastify';
export { visible } from './visible.ts';

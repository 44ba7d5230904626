export type { KnownAttributes } from './config/attributes.ts';
export { apiHeaders, createToken, headersOf, tokenFileOf } from './api-token.ts';
export { bookingRules, facilityWords, labelRules } from './config/booking-rules.ts';
export { CHARACTER_SETS, NARROW_SETS, WIDE_SETS } from './config/character-set.ts';
export { configurationPage, jsonSchema } from './config/docs.ts';
export { formatIssue, type ConfigIssue } from './config/issue.ts';
export { isTemplate, LAYOUTS, layoutTemplate, type Extension } from './config/layouts.ts';
export { watchConfig, type ConfigWatch, type ConfigWatchOptions } from './config-watch.ts';
export { loadConfig } from './config/load.ts';
export { parseConfig, type ConfigResult } from './config/parse.ts';
export { configWarnings, formatWarning, patternsIn, type ConfigWarning } from './config/warnings.ts';
export type { Config } from './config/schema.ts';
export { admits, sendersOf } from './config/senders.ts';
export { defaultTag } from './config/streaming.ts';
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
export { codeOf, FailureError, messageOf, type Failure } from './failure.ts';
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
export { askRebuild, readRebuild, rebuildDone, type RebuildRequest } from './rebuild.ts';
export { runService, type RunningService, type Service, type ServiceContext } from './run.ts';
export { sleep } from './sleep.ts';
export { openTlsStore, readTlsFiles } from './tls-files.ts';
export type { TlsFiles, TlsStore, TlsStoreOptions, TlsTexts } from './tls-files.ts';
export { XmlError, xmlReader, type XmlHandler, type XmlLimits, type XmlReader } from './xml.ts';
export { Counter, Gauge, Histogram, Registry } from 'prom-client';
export type { FastifyInstance } from 'fastify';
export { visible } from './visible.ts';

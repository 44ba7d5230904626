export { createToken, headersOf, tokenFileOf } from './api-token.ts';
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
  absent,
  asideName,
  createFileOnce,
  fsyncFolder,
  namesIn,
  readBounded,
  readSecret,
  removeLeftovers,
  stampOf,
  writeFileAtomic,
} from './files.ts';
export { addGauge, addLeadMetric, type Fault, type Health } from './health.ts';
export { httpAccess, startHttp, takes, type RunningHttp } from './http.ts';
export { jsonPieces, readJson } from './json.ts';
export {
  addChanges,
  addMachine,
  addMachineMetrics,
  certificatesIn,
  gigabytes,
  judgeRoom,
  leastOf,
  readCertificates,
  type Floor,
} from './pages.ts';
export { createLog, type Log, type LogFields } from './log.ts';
export { KeyedQueue, pool } from './pool.ts';
export { signalGroup, watchOver, type Watch } from './process-group.ts';
export { askRebuild, readRebuild, rebuildDone, type RebuildRequest } from './restore.ts';
export { runService, type LoadedConfig, type ServiceContext } from './run.ts';
export { localTime, sleep } from './time.ts';
export { openTlsStore, readAuthority, readTlsFiles, type TlsTexts } from './tls-files.ts';
export { clearUnfinishedRestore, markUnfinishedRestore, requireFinishedRestore } from './restore.ts';
export { XmlError, xmlReader } from './xml.ts';
export { Counter, Gauge, Histogram, Registry } from 'prom-client';
export type { FastifyInstance, FastifyReply } from 'fastify';

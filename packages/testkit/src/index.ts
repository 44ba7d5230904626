/** Real peers for tests and the demo. */
export { makeCalendar, type CalendarEntry } from './calendars.ts';
export { makeAuthority, makeSelfSigned, type Authority, type Certificate } from './certificates.ts';
export {
  allCommitted,
  startCommitmentScp,
  type CommitmentScp,
  type CommitmentScpOptions,
  type CommitmentStep,
} from './scripted-scp.ts';
export { reportExam } from './exams.ts';
export { dcmtk, startDcmqrscp, startStorescp, storescu, type Storescp } from './dcmtk.ts';
export { examBegins, examEnds, examRecord, examSeries, SERIES_UID } from './exams.ts';
export { findOrthanc, startOrthanc, type OrthancOptions, type RunningOrthanc } from './orthanc.ts';
export {
  BOLD_VOLUMES,
  GRADIENTS,
  mrSession,
  scanSeries,
  SESSION_SERIES,
  writeMrSession,
  type MrSeries,
  type MrWhat,
  type Scanned,
  type SessionOptions,
} from './mr/session.ts';
export { findPostgres, startPostgres, type Postgres } from './postgres.ts';
export {
  apiFetch,
  freePort,
  httpServer,
  run,
  startProgram,
  until,
  type Program,
  type RunResult,
} from './process.ts';
export { startRadicale, type Radicale } from './radicale.ts';
export { startScriptedScp, type ScriptedScp, type ScriptedScpOptions } from './scripted-scp.ts';

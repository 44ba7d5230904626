export { examRecord } from './exam-record.ts';
export { apiFetch } from './api.ts';
export {
  makeAuthority,
  makeSelfSigned,
  type Authority,
  type Certificate,
  type IssueOptions,
} from './certificates.ts';
export {
  allCommitted,
  startCommitmentScp,
  type CommitmentScp,
  type CommitmentScpOptions,
  type CommitmentStep,
} from './commitment-scp.ts';
export { makeCalendar, type CalendarEntry, type CalendarOptions } from './calendars.ts';
export { startDcmqrscp, type Dcmqrscp, type DcmqrscpOptions } from './dcmqrscp.ts';
export {
  dcmtk,
  startStorescp,
  storescu,
  type SendTarget,
  type Storescp,
  type StorescpOptions,
} from './dcmtk.ts';
export { findOrthanc, startOrthanc, type OrthancOptions, type RunningOrthanc } from './orthanc.ts';
export { reportExam, type NormalizedCall } from './normalized-scu.ts';
export { examBegins, examEnds, examSeries, SERIES_UID, type ExamOptions } from './mpps.ts';
export { httpServer } from './http-server.ts';
export { freePort } from './ports.ts';
export { findPostgres, startPostgres, type Postgres } from './postgres.ts';
export { startRadicale, type Radicale, type RadicaleOptions } from './radicale.ts';
export { run, startProgram, type Program, type RunOptions, type RunResult } from './process.ts';
export { until, type UntilOptions } from './until.ts';
export {
  startScriptedScp,
  type ScriptedScp,
  type ScriptedScpOptions,
  type StoreStep,
} from './scripted-scp.ts';

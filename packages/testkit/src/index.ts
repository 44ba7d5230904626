/** Real peers for tests and the demo. */
export { makeCalendar, type CalendarEntry, type CalendarOptions } from './calendars.ts';
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
export { reportExam, type NormalizedCall } from './dcmjs-scanner.ts';
export {
  dcmtk,
  startDcmqrscp,
  startStorescp,
  storescu,
  type Dcmqrscp,
  type DcmqrscpOptions,
  type SendTarget,
  type Storescp,
  type StorescpOptions,
} from './dcmtk.ts';
export { examBegins, examEnds, examRecord, examSeries, SERIES_UID, type ExamOptions } from './exams.ts';
export { apiFetch, httpServer } from './http.ts';
export { findOrthanc, startOrthanc, type OrthancOptions, type RunningOrthanc } from './orthanc.ts';
export { findPostgres, startPostgres, type Postgres } from './postgres.ts';
export { freePort, run, startProgram, type Program, type RunOptions, type RunResult } from './process.ts';
export { startRadicale, type Radicale, type RadicaleOptions } from './radicale.ts';
export {
  startScriptedScp,
  type ScriptedScp,
  type ScriptedScpOptions,
  type StoreStep,
} from './scripted-scp.ts';
export { until, type UntilOptions } from './until.ts';

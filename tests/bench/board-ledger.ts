/** A ledger of many series for `bench:board`: five of each booking of today, the others of sessions of the days before. */
import { DatabaseSync } from 'node:sqlite';

export interface Booked {
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly project: string;
  readonly subject: string;
  readonly session: string;
  readonly start: string;
}

const EACH = 5;
const DAY_MS = 86_400_000;
/** Sessions of a day before. */
const A_DAY = 200;

export function fillLedger(file: string, series: number, booked: readonly Booked[]): void {
  const database = new DatabaseSync(file);
  const now = Temporal.Now.instant().epochMilliseconds;
  const before = Array.from({ length: Math.ceil(series / EACH) - booked.length }, (_, index) => ({
    accessionNumber: `OLD${index}`,
    studyInstanceUid: `1.2.840.99.${index}`,
    ...{
      project: `301000${index % 9}.01`,
      subject: `sub-${String(index).padStart(4, '0')}`,
      session: 'ses-mri01',
    },
    start: Temporal.Instant.fromEpochMilliseconds(now - (1 + Math.floor(index / A_DAY)) * DAY_MS).toString(),
  }));
  database.exec('BEGIN');
  const [addSession, addSeries, addLeg] = [
    'INSERT INTO session (id, first_seen, updated, increment) VALUES (?, ?, ?, 1)',
    `INSERT INTO series (id, state, first_seen, updated, attributes, labels, path, increment, in_orthanc, stored, digest,
       session, uid, accession, study) VALUES (?, ?, ?, ?, ?, ?, ?, 1, 176, 176, 'd', ?, ?, ?, ?)`,
    'INSERT INTO leg (series, target, state, attempts, done, total, through, updated) VALUES (?, ?, ?, 1, 176, 176, 1, ?)',
  ].map((sql) => database.prepare(sql));
  for (const [number, one] of [...booked, ...before].entries()) {
    const { accessionNumber, studyInstanceUid, start, project, subject, session } = one;
    const first = Math.min(Temporal.Instant.from(start).epochMilliseconds + 600_000, now);
    addSession?.run(`session-${number}`, first, first);
    for (let at = 0; at < EACH; at += 1) {
      const id = `${number}-${at}`;
      const uid = `${studyInstanceUid}.${at + 1}`;
      const state = number % 100 === 99 && at === 0 ? 'failed' : 'complete';
      const attributes = {
        ...{ Modality: 'MR', AccessionNumber: accessionNumber, StudyInstanceUID: studyInstanceUid },
        ...{ SeriesInstanceUID: uid, SeriesNumber: String(at + 1), SeriesDescription: `t1_mprage_${at}` },
      };
      const texts = [attributes, { project, subject, session }].map((value) => JSON.stringify(value));
      const path = `${project}/raw/${subject}/${session}/${at}`;
      const keys = [`session-${number}`, uid, accessionNumber, studyInstanceUid];
      addSeries?.run(id, state, first + at, first + at, ...texts, path, ...keys);
      addLeg?.run(id, 'storage', 'done', first);
      addLeg?.run(id, 'pacs', state === 'failed' ? 'failed' : 'done', first);
    }
  }
  database.exec('COMMIT');
  database.close();
}

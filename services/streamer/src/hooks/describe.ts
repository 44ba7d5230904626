/** A series or session as hooks get it: in its state at the time of delivery. */
import type { DeliveryWork, Ledger, Store } from '../ports.ts';
import { seriesReport, type ReportContext, type SeriesReport } from '../http/report.ts';
import { sessionReport } from '../sessions/report.ts';
import type { Subject } from './deliver.ts';
import { findSession } from '../sessions/sql.ts';
import { matching } from '../ledger/people.ts';

interface DescribeDeps {
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'pathOf'>;
  readonly context: ReportContext;
}

export async function describe(
  { kind, subject }: Pick<DeliveryWork, 'kind' | 'subject'>,
  { ledger, store, context }: DescribeDeps,
): Promise<Subject> {
  if (kind === 'complete') {
    const view = await ledger.read(findSession, subject);
    if (view === undefined) return NOTHING;
    const session = sessionReport(view, context);
    const folder = view.folder === undefined ? undefined : trimmed(store.pathOf(view.folder, ''));
    const [first] = session.series;
    const { accessionNumber, studyInstanceUid } = first === undefined ? {} : fieldsOf(first);
    const fields = given({ folder, accessionNumber, studyInstanceUid, ...session.labels });
    return { fields, record: { ...given({ folder }), session } };
  }
  const [view] = await ledger.read(matching, subject);
  if (view === undefined) return NOTHING;
  const series = seriesReport(view, context);
  const folder = view.path === undefined ? undefined : trimmed(store.pathOf(view.path, ''));
  return {
    fields: given({ ...fieldsOf(series), folder, ...series.labels }),
    record: { ...given({ folder }), series },
  };
}

const NOTHING: Subject = { fields: {}, record: {} };

const fieldsOf = (series: SeriesReport): Record<string, string> => ({
  accessionNumber: series.accessionNumber,
  studyInstanceUid: series.studyInstanceUid,
  seriesInstanceUid: series.seriesInstanceUid,
  seriesNumber: series.seriesNumber,
  modality: series.modality,
});

const trimmed = (folder: string): string => folder.replace(/\/+$/, '');

/** Without unknown values. */
const given = (fields: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

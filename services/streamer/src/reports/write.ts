/** The report of a session that lies beside its images, as JSON and CSV; and the verdict on its conversion, which comes later. */
import { messageOf } from '@scanflow/failure';
import { deliveriesOf } from '../ledger/deliveries.ts';
import type { SessionView } from '../ledger/rows.ts';
import { findSession } from '../ledger/views.ts';
import { commonParent, reportName } from '../sessions/plan.ts';
import type { LoopDeps } from '../work/deps.ts';
import { bidsReport, type BidsReport } from './bids.ts';
import { sessionCsv, sessionReport } from './session.ts';

type Places = Pick<LoopDeps, 'ledger' | 'store' | 'context' | 'log'>;

/** Writes both, each whole or not at all. Gives their folder; without stored series there is none. */
export async function writeReports(
  session: SessionView,
  bids: BidsReport | undefined,
  { store, context }: Pick<Places, 'store' | 'context'>,
): Promise<string | undefined> {
  const folders = session.series.flatMap(({ path }) => (path === undefined ? [] : [path]));
  if (folders.length === 0) return undefined;
  const below = session.folder ?? commonParent(folders);
  const report = sessionReport(session, context, bids);
  const name = reportName(session.id, report.accessionNumber);
  const shown = { ...report, folder: undefined };
  await store.writeReport(below, `${name}.json`, `${JSON.stringify(shown, null, 1)}\n`);
  return store.writeReport(below, `${name}.csv`, sessionCsv([report]));
}

/** What became of the conversion of a session, as the ledger knows it. */
export const bidsKnown = async (
  id: string,
  { ledger }: Pick<Places, 'ledger'>,
): Promise<BidsReport | undefined> => bidsReport((await ledger.read(deliveriesOf, [id])).get(id));

/**
 * Writes the verdict into the report of a complete session; a session that changes now gets it with its next report. False: it is
 * not written. Never rejects: the verdict stands in the ledger, too.
 * @param bids as the ledger will know it; undefined: as it knows it now
 */
export async function writeVerdict(
  id: string,
  bids: BidsReport | undefined,
  places: Places,
): Promise<boolean> {
  const { ledger, log } = places;
  try {
    const view = await ledger.read(findSession, id);
    const known = bids ?? (await bidsKnown(id, places));
    if (view === undefined || view.due !== null || known === undefined) return false;
    await writeReports(view, known, places);
    return true;
  } catch (error) {
    log.warn('the report beside the images has no verdict', { sessionId: id, reason: messageOf(error) });
    return false;
  }
}

/**
 * Which parts of which BIDS sessions come of a session: usually one. After a person moved series to other labels, these join the
 * session that has the labels, and what the old labels had of this session leaves the dataset. Pure, but for the look into the ledger.
 */
import type { BidsRemoval, BidsRequest } from '@scanflow/bids/answer';
import type { Labels } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import { STORAGE } from '../model/series.ts';
import { seriesReport, type SeriesReport } from '../reports/series.ts';
import { inOrder, sessionReport } from '../reports/session.ts';
import { findSession } from '../ledger/views.ts';
import type { SeriesView } from '../ledger/rows.ts';
import { homeOf } from '../store/place/layout.ts';
import type { LoopDeps } from '../work/deps.ts';
import { labelsText, seriesLabelled } from './bids-sql.ts';

type Place = Pick<SeriesView, 'id' | 'session' | 'labels' | 'moved'>;

export interface Units<T extends Place> {
  /** Series of every session that this session converts, by their labels. */
  readonly converts: readonly { readonly labels: Labels; readonly series: readonly T[] }[];
  /** Labels that its series had, and that have nothing of it any more. */
  readonly leaves: readonly Labels[];
}

/** Whether a person gave it other labels than it had at first. */
const isMoved = ({ labels, moved = [] }: Place): boolean => {
  const first = moved[0]?.from.labels;
  return moved.length > 0 && (first === undefined || labels === undefined || !isSame(first, labels));
};

const isSame = (one: Labels, other: Labels): boolean => labelsText(one) === labelsText(other);

/** The session that converts a series: its own, unless a person moved it to labels that another session has. */
function converter(series: Place, fellows: readonly Place[]): string | undefined {
  const settled = new Set(fellows.filter((one) => !isMoved(one)).flatMap(({ session }) => session ?? []));
  if (!isMoved(series) || (series.session !== undefined && settled.has(series.session)))
    return series.session;
  const candidates = settled.size > 0 ? [...settled] : fellows.flatMap(({ session }) => session ?? []);
  return candidates.toSorted()[0];
}

/**
 * @param own the session's series
 * @param labelled by the text of their labels: all series with the labels of one of them
 */
export function unitsOf<T extends Place>(
  session: string,
  own: readonly Place[],
  labelled: ReadonlyMap<string, readonly T[]>,
): Units<T> {
  const converts = [...labelled.values()].flatMap((fellows) => {
    const series = fellows.filter((one) => converter(one, fellows) === session);
    const labels = series[0]?.labels;
    return labels === undefined ? [] : [{ labels, series }];
  });
  const known = new Set(converts.map(({ labels }) => labelsText(labels)));
  const former = own.flatMap(({ moved = [] }) => moved.flatMap(({ from }) => from.labels ?? []));
  const leaves = new Map(former.map((labels) => [labelsText(labels), labels]));
  return { converts, leaves: [...leaves].filter(([text]) => !known.has(text)).map(([, labels]) => labels) };
}

type Places = Pick<LoopDeps, 'context' | 'settings'>;

export interface BidsWork {
  readonly requests: readonly BidsRequest[];
  readonly removals: readonly BidsRemoval[];
  /** One of the series is on its way to other labels. */
  readonly moving: boolean;
}

/** What the bids service has to do for a session of the ledger. */
export async function bidsWork(
  id: string,
  { ledger, ...places }: Places & Pick<LoopDeps, 'ledger'>,
): Promise<BidsWork> {
  const view = await ledger.read(findSession, id);
  if (view === undefined) return { requests: [], removals: [], moving: false };
  const labelled = new Map<string, SeriesView[]>();
  for (const { labels } of view.series)
    if (labels !== undefined && !labelled.has(labelsText(labels)))
      labelled.set(labelsText(labels), await ledger.read(seriesLabelled, labels));
  const { converts, leaves } = unitsOf(id, view.series, labelled);
  const { accessionNumber } = sessionReport(view, places.context);
  return {
    requests: converts.flatMap(({ labels, series }) => {
      const reports = inOrder(series.map((one) => seriesReport(one, places.context)));
      return bidsRequest({ id, accessionNumber, labels, series: reports }, rootOf(labels, places)) ?? [];
    }),
    removals: leaves.map(({ project, subject, session }) => ({
      ...{ project, subject, session, accessionNumber, root: rootOf({ project }, places), erased: false },
      // where no number tells registrations apart, the labels may be another session's by now
      series: view.series.map((one) => one.id),
    })),
    moving: [...labelled.values()].flat().some(({ moving }) => moving !== undefined),
  };
}

/** The root where a project lives. */
export const rootOf = ({ project }: Pick<Labels, 'project'>, { context, settings }: Places): string =>
  homeOf(project, settings.homes ?? [])?.root ?? context.root;

interface Told {
  readonly id: string;
  readonly accessionNumber: string;
  readonly labels: Labels;
  readonly series: readonly Pick<SeriesReport, 'id' | 'legs' | 'images' | 'labels'>[];
}

/** What the bids service needs to convert series; undefined where nothing of them is stored. Those of other labels do not count. Pure. */
export function bidsRequest(
  { id, accessionNumber, labels, series }: Told,
  root: string,
): BidsRequest | undefined {
  const stored = series.flatMap((one) => {
    const folder = one.legs.find(({ target }) => target === STORAGE)?.path;
    const isOurs = one.labels !== undefined && isSame(one.labels, labels);
    return folder === undefined || one.images.stored === 0 || !isOurs
      ? []
      : [{ id: one.id, folder: folder.replace(/\/+$/, '') }];
  });
  const { project, subject, session } = labels;
  if (stored.length === 0) return undefined;
  return {
    ...{ id, project, subject, accessionNumber, root, series: stored },
    ...defined({ session: session === '' ? undefined : session }),
  };
}

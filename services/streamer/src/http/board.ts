/** What the day board asks of the streamer, beside the series and sessions of the API. */
import { resolve } from 'node:path';
import { defined, given } from '@scanflow/failure/defined';
import { addChanges, takes, type FastifyInstance } from '@scanflow/runtime';
import type { Labels } from '@scanflow/booking';
import type { Orthanc } from '@scanflow/orthanc';
import { labelsOf } from './changes.ts';
import { openRuns } from '../hooks/sql.ts';
import { Answer, fieldIn, find, oneOf } from './request.ts';
import { bidsReports, sessionReport } from '../reports/session.ts';
import { deliveriesOf } from '../ledger/deliveries.ts';
import { iso, LEG_STATES, SERIES_STATES, STORAGE } from '../model/series.ts';
import type { Settings } from '../model/settings.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { SessionView } from '../ledger/rows.ts';
import {
  findSessions,
  labelledSessions,
  ledgerMarks,
  searchSeries,
  sessionsOfDay,
  SORTS,
  type SessionKeys,
  waitingLegs,
  type SeriesFilter,
} from '../ledger/search.ts';
import { summarise } from '../ledger/views.ts';
import { hookReport, seriesReport, type ReportContext } from '../reports/series.ts';
import { placeFor } from '../store/place/place.ts';
import type { Store } from '../store/types.ts';
import { failureOf } from '../model/failure.ts';

export interface BoardDeps {
  readonly store: Pick<Store, 'nextNames'>;
  readonly ledger: Ledger;
  readonly context: ReportContext;
  readonly settings: Settings;
  readonly orthanc: Pick<Orthanc, 'seriesWith'>;
  /** Why labels break the rules for bookings; undefined if they hold. */
  readonly labelProblem: (labels: Labels) => string | undefined;
}

type Query = Readonly<Record<string, string | undefined>>;

/**
 * GET /api/board/mark, /api/board/sessions?from=&to= (POST: with those of {accessions, studies, series}), /api/board/find?text= or ?known=, /api/board/series?state=&target=&…&offset=&limit=,
 * /api/board/counts; POST /api/board/series/ID/preview: where a release with these labels would store it.
 */
export function boardRoutes(app: FastifyInstance, deps: BoardDeps): void {
  const { ledger, context } = deps;
  const span = takes('from', 'to');
  app.get('/api/board/mark', async () => ({ mark: Object.values(await ledger.read(ledgerMarks)).join(';') }));
  addChanges(app, { marks: () => ledger.read(ledgerMarks) });
  app.get<{ Querystring: Query }>('/api/board/sessions', span, async ({ query }) =>
    withHooks(await ledger.read(sessionsOfDay, millis(query, 'from'), millis(query, 'to'), NO_KEYS), deps),
  );
  const limited = { ...span, bodyLimit: KEYS_BYTES };
  app.post<{ Querystring: Query }>('/api/board/sessions', limited, async ({ query, body }) =>
    withHooks(
      await ledger.read(sessionsOfDay, millis(query, 'from'), millis(query, 'to'), keysIn(body)),
      deps,
    ),
  );
  app.get<{ Querystring: Query }>('/api/board/find', takes('text', 'known'), async ({ query }) => {
    const { text, known = '' } = query;
    return withHooks(
      text === undefined
        ? await findKnown(known.trim(), deps)
        : await ledger.read(findSessions, belowRoot(text, context.root)),
      deps,
    );
  });
  const filters = takes(...FILTERS, 'sort', 'order', 'offset', 'limit');
  app.get<{ Querystring: Query }>('/api/board/series', filters, async ({ query }) => {
    const sort = oneOf(SORTS, 'sort', query['sort']);
    const page = {
      offset: whole(query['offset'], 0),
      limit: Math.min(whole(query['limit'], 50), MOST_ROWS),
      up: oneOf(['up', 'down'], 'order', query['order']) === 'up',
      ...defined({ sort }),
    };
    const { total, series } = await ledger.read(searchSeries, filterOf(query, deps), page);
    return { total, series: series.map((view) => seriesReport(view, context)) };
  });
  app.get('/api/board/counts', async () => {
    const { series, legs } = await ledger.read(summarise);
    const runs = await ledger.read(openRuns);
    const hooks = runs.map(({ waiting, ...run }) => ({
      ...run,
      ...defined({ waiting: given(waiting, iso) }),
    }));
    return { series, legs, waiting: await ledger.read(waitingLegs), hooks };
  });
  app.post<{ Params: { id: string } }>('/api/board/series/:id/preview', async ({ params, body }) =>
    preview(params.id, labelsOf(body), deps),
  );
}

const MOST_ROWS = 500;
const NO_KEYS: SessionKeys = { accessions: [], studies: [], series: [] };
/** SQLite takes 32,766 values in a statement. */
const MOST_KEYS = 4_096;
const KEYS_BYTES = 2 * 1024 * 1024;

/** Throws Answer. */
function keysIn(body: unknown): SessionKeys {
  const list = (key: keyof SessionKeys): string[] => {
    const value = fieldIn(body, key) ?? [];
    const texts = Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
    if (!Array.isArray(value) || texts.length !== value.length || texts.length > MOST_KEYS)
      throw new Answer(400, `expected ${key}: a list of at most ${MOST_KEYS} texts`);
    // PostgreSQL takes no NUL in a text
    return texts.filter((text) => text !== '' && !text.includes('\0'));
  };
  return { accessions: list('accessions'), studies: list('studies'), series: list('series') };
}

const whole = (text: string | undefined, otherwise: number): number => {
  const number = Number.parseInt(text ?? '', 10);
  return Number.isSafeInteger(number) && number >= 0 ? number : otherwise;
};

function millis(query: Query, key: string): number {
  try {
    return Temporal.Instant.from(query[key] ?? '').epochMilliseconds;
  } catch {
    throw new Answer(400, `expected ${key}: an instant like 2026-11-28T08:00:00Z`);
  }
}

const TEXTS = ['target', 'code', 'project', 'subject', 'session', 'accession', 'modality'] as const;
/** What `filterOf` reads. */
export const FILTERS: readonly string[] = [
  ...TEXTS,
  ...['state', 'leg', 'waits', 'warned', 'scanner', 'senders', 'projects', 'from', 'to'],
];

/** What a page of series is filtered by. Throws Answer for a value that no series can have. */
export function filterOf(query: Query, { settings }: Pick<BoardDeps, 'settings'>): SeriesFilter {
  const texts = TEXTS.flatMap((key) => (query[key] === undefined ? [] : [[key, query[key]] as const]));
  const list = (text: string | undefined): string[] | undefined => text?.split('\n').filter(Boolean);
  return {
    ...Object.fromEntries(texts),
    ...defined({
      state: oneOf(SERIES_STATES, 'state', query['state']),
      leg: oneOf([...LEG_STATES, 'paused', 'stuck', 'open'], 'leg', query['leg']),
      waits: given(query['waits'], () => true),
      warned: given(query['warned'], () => true),
      from: given(query['from'], () => millis(query, 'from')),
      to: given(query['to'], () => millis(query, 'to')),
      senders: list(query['senders']) ?? titlesOf(query['scanner'], settings),
      projects: list(query['projects']),
    }),
  };
}

/** AE titles of a scanner of the configuration, or an AE title itself. */
function titlesOf(scanner: string | undefined, { route: { senders } }: Settings): string[] | undefined {
  if (scanner === undefined) return undefined;
  const titles = [...senders].flatMap(([aet, name]) => (name === scanner ? [aet] : []));
  return titles.length === 0 ? [scanner] : titles;
}

const SOP_INSTANCE = /^[0-9][0-9.]{4,63}$/;
const LOOKUP_MS = 5_000;
/** Folders above a file of a series. */
const MOST_PARENTS = 20;

/**
 * Sessions by what people know of them: whatever `findSessions` takes, a file or folder in project storage, a project, a subject, or the SOP
 * Instance UID of an image that Orthanc has.
 */
async function findKnown(
  known: string,
  { ledger, context, orthanc }: BoardDeps,
): Promise<readonly SessionView[]> {
  for (const path of placesIn(known)) {
    const found = await ledger.read(findSessions, belowRoot(path, context.root));
    if (found.length > 0) return found;
  }
  const labelled = await ledger.read(labelledSessions, known);
  if (labelled.length > 0 || !SOP_INSTANCE.test(known)) return labelled;
  const ids = await orthanc.seriesWith(known, AbortSignal.timeout(LOOKUP_MS)).catch((error: unknown) => {
    throw new Answer(503, failureOf(error).message);
  });
  const sessions = await Promise.all(ids.map((id) => ledger.read(findSessions, id)));
  return sessions.flat();
}

/** The text itself; of a path also the folders above it, the nearest first. */
function placesIn(text: string): string[] {
  const parts = text.replace(/\/+$/, '').split('/');
  const most = Math.min(parts.length, MOST_PARENTS);
  return Array.from({ length: most }, (_, up) => parts.slice(0, parts.length - up).join('/')).filter(Boolean);
}

/** The ledger has folders as they are below the root. */
function belowRoot(text: string, root: string): string {
  const path = text.trim().replace(/(?<=.)\/+$/, '');
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

async function withHooks(views: readonly SessionView[], { ledger, context }: BoardDeps): Promise<object> {
  const subjects = views.flatMap(({ id, series }) => [id, ...series.map((one) => one.id)]);
  const told = await ledger.read(deliveriesOf, subjects);
  const bids = bidsReports(views, told);
  return {
    sessions: views.map((view) => sessionReport(view, context, bids.get(view.id))),
    hooks: [...told].flatMap(([subject, deliveries]) =>
      deliveries.map((one) => ({ subject, ...hookReport(one, context) })),
    ),
  };
}

/** By the same functions as storing and moving: a folder that another series has gets another name there. */
async function preview(
  id: string,
  labels: Labels,
  { ledger, context, settings, labelProblem, store }: BoardDeps,
): Promise<object> {
  const view = await find(id, ledger);
  const problem = labelProblem(labels);
  if (problem !== undefined) throw new Answer(400, problem);
  const { names, root = context.root } = placeFor(view.attributes, labels, settings);
  const free = await store.nextNames(names, view.id, root).catch((error: unknown) => {
    throw new Answer(503, failureOf(error).message);
  });
  const from = view.path === undefined ? undefined : resolve(context.root, view.path);
  return { id: view.id, path: [root, ...free].join('/'), target: STORAGE, ...defined({ from }) };
}

/** `/series?state=failed&target=pacs`: all series, filtered, page by page. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Person } from '../access/roles.ts';
import type { Facility } from '../day/routes.ts';
import { countsAnswer, seriesAnswer } from '../sources/streamer-answers.ts';
import { asked, type Gatherer, type Services } from '../sources/gather.ts';
import { t } from '../texts/pages.ts';
import { forPerson, send, sendMessage, type Access } from '../web/request.ts';
import { askedOf, filterIn, sortIn, SORTS } from './filter.ts';
import { seriesPage } from './page.ts';

export interface SeriesOptions extends Access {
  readonly facility: Facility;
  readonly gatherer: Gatherer;
  readonly services: Services;
  /** Storage and the destinations of the configuration. */
  readonly targets: readonly string[];
  /** Names of the configuration. */
  readonly hooks: readonly string[];
  /** The scanner of each AE title. */
  readonly scannerOf: ReadonlyMap<string, string>;
}

const ROWS = 50;
const MOST_PAGES = 100_000;

type Query = Readonly<Record<string, string | undefined>>;

export function addSeries(app: FastifyInstance, options: SeriesOptions): void {
  app.get<{ Querystring: Query }>(
    '/series',
    forPerson<FastifyRequest<{ Querystring: Query }>>(options, ({ query }, reply, person) =>
      shown(query, reply, person, options),
    ),
  );
}

async function shown(
  query: Query,
  reply: FastifyReply,
  person: Person,
  { facility, gatherer, services, targets, hooks, scannerOf }: SeriesOptions,
): Promise<FastifyReply> {
  // a key that stands twice in the address is a list
  const texts = Object.fromEntries(Object.entries(query).map(([key, value]) => [key, [value].flat()[0]]));
  const read = filterIn(texts);
  if ('problem' in read) return sendMessage(reply, 400, t.series.badTitle, read.problem);
  const bad = (key: string, known: string): FastifyReply =>
    sendMessage(reply, 400, t.series.badTitle, t.series.badFilter(key, texts[key] ?? '', known));
  const page = pageIn(texts['page']);
  if (page === undefined) return bad('page', t.series.expected.number);
  const sort = sortIn(texts['sort']);
  if (sort === undefined) return bad('sort', SORTS.join(', '));
  const { timezone } = facility;
  const member = person.role === 'member';
  const { streamer } = services;
  const search = askedOf(read.filter, timezone, { scannerOf, ...(member && { projects: person.projects }) });
  search.set('sort', sort.by);
  if (sort.up) search.set('order', 'up');
  const list = `/api/board/series?${search.toString()}&offset=${(page - 1) * ROWS}&limit=${ROWS}`;
  const [found, counts] = await Promise.all([
    gatherer.part('series', () => asked(streamer, list, seriesAnswer)),
    member ? undefined : gatherer.part('counts', () => asked(streamer, '/api/board/counts', countsAnswer)),
  ]);
  const said = Object.entries(t.actions.said).find(([key]) => key === texts['said'])?.[1];
  const scanners = [...new Set(scannerOf.values())];
  const view = {
    ...{
      filter: read.filter,
      found,
      counts,
      page,
      rows: ROWS,
      targets,
      scanners,
      sort,
      said,
      timezone,
      person,
    },
    hooks: hooks.map((name) => `hook:${name}`),
  };
  return send(reply, { title: t.series.title, path: '/series', main: seriesPage(view), person });
}

function pageIn(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return 1;
  const page = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return page >= 1 && page <= MOST_PAGES ? page : undefined;
}

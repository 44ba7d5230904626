/** The page that says why an item is not in a scanner's list: /api/worklist/explain?accession=…&scanner=…&key=… */
import type { FastifyInstance } from '@scanflow/runtime';
import type { DataSet } from '@scanflow/dicom';
import type { SenderList } from '@scanflow/dimse/access';
import { shownValues, valuedKeys } from '../domain/keys.ts';
import type { Journal, LastQuery } from '../domain/journal.ts';
import { explain, type Explanation, type Known } from './explain.ts';
import { givenQuery } from './given.ts';

export interface ExplainSource {
  readonly journal: Journal;
  /** What the worklist knows at this moment. */
  readonly known: () => Omit<Known, 'booked'>;
  readonly isBooked: (accessionNumber: string) => Promise<boolean>;
  /** AE titles with which a scanner calls, by its name in the configuration or one of them; the first is its own. */
  readonly titlesOf: (scanner: string) => readonly string[];
  readonly rejected: SenderList;
}

interface ExplainQuery {
  readonly accession?: string;
  readonly scanner?: string;
  /** As findscu's -k takes them; instead of the last query. */
  readonly key?: string | readonly string[];
}

/** Which query was taken. */
type Source = 'last' | 'given' | 'none';

class BadRequest extends Error {
  readonly statusCode = 400;
}

/** Adds the page. */
export function addExplainRoute(app: FastifyInstance, source: ExplainSource): void {
  app.get<{ Querystring: ExplainQuery }>('/api/worklist/explain', async ({ query }) => {
    const [accession, scanner] = [query.accession, query.scanner].map(trimmed);
    if (accession === undefined || scanner === undefined)
      throw new BadRequest('give accession and scanner, such as ?accession=A1&scanner=prisma');
    const titles = source.titlesOf(scanner);
    const keys = query.key === undefined ? [] : [query.key].flat();
    const last = keys.length === 0 ? source.journal.last(titles) : undefined;
    const callingAet = last?.record.callingAet ?? titles[0] ?? scanner;
    const from: Source = keys.length > 0 ? 'given' : last === undefined ? 'none' : 'last';
    const identifier = identifierOf(keys, last);
    const booked = await source.isBooked(accession);
    const question = { accessionNumber: accession, callingAet, identifier, asked: last?.record };
    const explanation = explain(question, { ...source.known(), booked });
    const refusals = source.rejected
      .all()
      .filter(({ callingAet: title }) => titles.includes(title))
      .map(
        ({ callingAet: title, last: at, why = '' }) =>
          `an association of ${title} was rejected at ${at}: ${why}`,
      );
    const notes = [...explanation.notes, ...refusals, ...(from === 'none' ? [NEVER] : [])];
    return page({ ...explanation, notes }, { accession, callingAet, from, identifier, last });
  });
}

/** Without blanks around it; undefined where it is empty, absent, or given twice. */
const trimmed = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;

/** The keys that were given; else the last query; else one that asks for everything. */
function identifierOf(keys: readonly string[], last: LastQuery | undefined): DataSet | undefined {
  if (keys.length === 0) return last === undefined ? new Map() : last.identifier;
  const given = givenQuery(keys);
  if (!given.ok) throw new BadRequest(given.reason);
  return given.identifier;
}

interface Asked {
  readonly accession: string;
  readonly callingAet: string;
  readonly from: Source;
  readonly identifier: DataSet | undefined;
  readonly last: LastQuery | undefined;
}

const NEVER =
  'this scanner has sent no query since the worklist service started: judged by a query without any key';

function page({ listed, reasons, notes }: Explanation, asked: Asked): object {
  const { accession, callingAet, from, identifier, last } = asked;
  const shown =
    identifier === undefined
      ? { keys: [], values: {} }
      : { keys: valuedKeys(identifier), values: shownValues(identifier) };
  const when = last === undefined ? {} : { at: last.record.at, address: last.record.address };
  return {
    accessionNumber: accession,
    callingAet,
    listed,
    query: { from, ...when, ...shown },
    reasons,
    notes,
  };
}

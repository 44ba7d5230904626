/** The page that says why an item is not in a scanner's list: /api/worklist/explain?accession=…&scanner=…&key=… */
import { defined } from '@scanflow/failure/defined';
import { takes, type FastifyInstance } from '@scanflow/runtime';
import {
  type DataSet,
  formatTag,
  keywordOf,
  makeElement,
  tagOf,
  vrOf,
  type Element,
  type Tag,
} from '@scanflow/dicom';
import type { SenderList } from '@scanflow/dimse/access';
import { messageOf } from '@scanflow/failure';
import { shownValues, valuedKeys, type Journal, type LastQuery } from '../domain/journal.ts';
import { explain, type Explanation, type Known } from './explain.ts';

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
  app.get<{ Querystring: ExplainQuery }>(
    '/api/worklist/explain',
    takes('accession', 'scanner', 'key'),
    async ({ query }) => {
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
    },
  );
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
  const when = defined({ at: last?.record.at, address: last?.record.address });
  return {
    accessionNumber: accession,
    callingAet,
    listed,
    query: { from, ...when, ...shown },
    reasons,
    notes,
  };
}

type Given =
  { readonly ok: true; readonly identifier: DataSet } | { readonly ok: false; readonly reason: string };

/** The identifier of these keys. */
export function givenQuery(keys: readonly string[]): Given {
  try {
    return {
      ok: true,
      identifier: keys.reduce<DataSet>((identifier, key) => add(identifier, ...parsed(key)), new Map()),
    };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

/** Path and value. */
function parsed(key: string): [path: readonly Tag[], value: string] {
  const at = key.indexOf('=');
  const path = (at < 0 ? key : key.slice(0, at)).split('.').map((part) => tagIn(part.replace(/\[0\]$/, '')));
  return [path, at < 0 ? '' : key.slice(at + 1)];
}

function tagIn(name: string): Tag {
  const [, group, element] = /^\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?$/.exec(name) ?? [];
  if (group !== undefined && element !== undefined) return Number.parseInt(group + element, 16);
  try {
    return tagOf(name);
  } catch {
    throw new Error(
      `${name} is no keyword of DICOM; keys are like Modality=MR or ScheduledProcedureStepSequence.Modality=MR`,
    );
  }
}

function add(keys: DataSet, [tag, ...rest]: readonly Tag[], value: string): DataSet {
  if (tag === undefined) return keys;
  if (rest.length === 0) return new Map(keys).set(tag, leaf(tag, value));
  if (vrOf(tag) !== 'SQ') throw new Error(`${nameOf(tag)} is no sequence, so it holds no other key`);
  return new Map(keys).set(tag, nested(keys.get(tag), rest, value));
}

function nested(before: Element | undefined, path: readonly Tag[], value: string): Element {
  const inner = before?.kind === 'sequence' ? before.items[0] : undefined;
  return { vr: 'SQ', kind: 'sequence', items: [add(inner ?? new Map(), path, value)] };
}

function leaf(tag: Tag, value: string): Element {
  const vr = vrOf(tag);
  if (vr === 'SQ' && value !== '')
    throw new Error(`${nameOf(tag)} is a sequence: name a key in it, such as ${nameOf(tag)}.Modality=MR`);
  if (vr === 'SQ') return { vr, kind: 'sequence', items: [] };
  if (value === '') return makeElement(vr, null);
  const numbers = value.split('\\').map(Number);
  if (!NUMBERS.has(vr)) return makeElement(vr, value.split('\\'));
  if (!numbers.every(Number.isFinite)) throw new Error(`${nameOf(tag)} takes a number`);
  return makeElement(vr, numbers);
}

const nameOf = (tag: Tag): string => keywordOf(tag) ?? formatTag(tag);

/** VRs whose values are numbers in binary. */
const NUMBERS = new Set(['US', 'SS', 'UL', 'SL', 'FL', 'FD']);

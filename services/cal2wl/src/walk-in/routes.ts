/**
 * POST /api/board/walk-in adds a walk-in, /api/board/walk-in/try says what it would become, and
 * /api/board/walk-in/ACCESSION/withdraw takes it off the worklist. For the day board, which says who asks.
 */
import { isObject, LABELS, rowOf, type Labels } from '@scanflow/booking';
import { FailureError } from '@scanflow/failure';
import type { FastifyInstance } from '@scanflow/runtime';
import type { PassReport } from '../report.ts';
import type { WalkIn } from './plan.ts';
import type { WalkIns } from './walk-ins.ts';

const PATH = '/api/board/walk-in';

export function addWalkIns(
  app: FastifyInstance,
  { walkIns, last }: { readonly walkIns: WalkIns; readonly last: () => PassReport | undefined },
): void {
  app.post(`${PATH}/try`, ({ body }, reply) =>
    answered(reply, async () => {
      const others = (last()?.calendars ?? []).flatMap(({ outcomes }) => outcomes);
      const outcome = await walkIns.judge(walkInOf(body), others);
      const warnings = outcome.outcome === 'booking' ? outcome.warnings : [];
      return { ...rowOf(outcome), warnings: warnings.map(({ code }) => code) };
    }),
  );
  app.post(PATH, ({ body }, reply) =>
    answered(reply, async () => {
      const { record, isNew } = await walkIns.add(walkInOf(body));
      return { accessionNumber: record.accessionNumber, isNew };
    }),
  );
  app.post<{ Params: { accession: string } }>(`${PATH}/:accession/withdraw`, ({ params }, reply) =>
    answered(reply, async () => ({ withdrawn: await walkIns.withdraw(params.accession) })),
  );
}

const STATUS: Readonly<Record<string, number>> = {
  WALK_IN_UNREADABLE: 400,
  WALK_IN_NONE: 404,
  PUBLISH: 503,
};

/** A refusal with its code and sentence; anything else is for the log. */
async function answered(
  reply: { code(status: number): { send(body: object): unknown } },
  work: () => Promise<object>,
): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { code, message } = error.failure;
    return reply.code(STATUS[code] ?? 409).send({ code, error: message });
  }
}

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LONGEST = 256;
const MOST_ADDRESSES = 1000;

/** Throws a FailureError where the body is no walk-in. */
function walkInOf(body: unknown): WalkIn {
  const given = isObject(body) ? body : {};
  const text = (key: string): string => {
    const value = given[key];
    const trimmed = typeof value === 'string' && value.length <= LONGEST ? value.trim() : '';
    if (trimmed === '') throw unreadable(key, 'a short text');
    return trimmed;
  };
  const labels = Object.fromEntries(LABELS.map((name) => [name, text(name)])) as unknown as Labels;
  const id = text('id');
  if (!ID.test(id)) throw unreadable('id', 'a UUID');
  const addresses = given['addresses'];
  if (!isTexts(addresses)) throw unreadable('addresses', 'a list of texts');
  return { id, labels, scanner: text('scanner'), start: instantOf(text('start')), by: text('by'), addresses };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= MOST_ADDRESSES &&
  value.every((one) => typeof one === 'string' && one.length <= LONGEST);

function instantOf(text: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch {
    throw unreadable('start', 'an instant like 2026-11-28T08:00:00Z');
  }
}

const unreadable = (key: string, expected: string): FailureError =>
  new FailureError({
    kind: 'permanent',
    code: 'WALK_IN_UNREADABLE',
    message: `${key}: expected ${expected}.`,
  });

/** C-FIND as SCU (PS3.7 9.1.2, PS3.4 C.4.1). */
import { decodeDataSet, encodeDataSet, text, type DataSet } from '@scanflow/dicom';
import { FailureError, permanent, transient } from '@scanflow/failure';
import type { Association } from '../association.ts';
import { type Message, COMMAND, DATA_SET } from '../message.ts';
import { cancelled, CONTEXT, inAssociation, nameOf, type Peer, type Unanswered } from './associate.ts';
import { Canceller, lost, messageIds, response, said } from './response.ts';

export interface FindQuery {
  readonly sopClass: string;
  /** Its SpecificCharacterSet, if any, is the one it is encoded in. */
  readonly identifier: DataSet;
  /** Stop with C-CANCEL after so many matches; default: all, up to 100,000. */
  readonly limit?: number;
}

export type FindResult =
  | {
      readonly ok: true;
      readonly matches: DataSet[];
      /** Status of the final response: 0x0000, or 0xFE00 after a cancel. */
      readonly status: number;
    }
  | Unanswered;

interface Matches {
  readonly matches: DataSet[];
  readonly status: number;
}

const LIMIT = 100_000;
const CANCELLED = 0xfe00;

/**
 * Asks for matches. Responses FF00 and FF01 both carry one (PS3.4 C.4.1.1.4). Never rejects; a signal that aborts
 * ends the association and gives the failure CANCELLED.
 */
export async function find(peer: Peer, query: FindQuery, signal?: AbortSignal): Promise<FindResult> {
  const { sopClass, identifier, limit } = query;
  const found = await findAll(peer, { sopClass, identifiers: [identifier], limit }, signal);
  if (!found.ok) return found;
  const [only = { matches: [], status: 0 }] = found.answers;
  return { ok: true, ...only };
}

export interface FindQueries extends Omit<FindQuery, 'identifier' | 'limit'> {
  /** Asked one after the other. */
  readonly identifiers: readonly DataSet[];
  /** For each of them, as in FindQuery. */
  readonly limit?: number | undefined;
}

export type FindResults = { readonly ok: true; readonly answers: readonly Matches[] } | Unanswered;

/** Several queries over one association: the matches of each. The first that fails is the result. Never rejects. */
export async function findAll(
  peer: Peer,
  { sopClass, identifiers, limit }: FindQueries,
  signal?: AbortSignal,
): Promise<FindResults> {
  return inAssociation(peer, { sopClass, cancels: true }, signal, async (association, transferSyntax) => {
    const nextId = messageIds();
    const answers: Matches[] = [];
    for (const identifier of identifiers) {
      if (signal?.aborted === true) throw cancelled();
      const query = { sopClass, identifier, limit: limit ?? LIMIT };
      answers.push(await ask({ association, transferSyntax, peer, signal }, query, nextId()));
    }
    return { ok: true as const, answers };
  });
}

interface Line {
  readonly association: Association;
  readonly transferSyntax: string;
  readonly peer: Peer;
  readonly signal: AbortSignal | undefined;
}

async function ask(line: Line, query: Required<FindQuery>, messageId: number): Promise<Matches> {
  const { association, transferSyntax, peer, signal } = line;
  const request = {
    affectedSopClassUid: query.sopClass,
    commandField: COMMAND.findRq,
    messageId,
    priority: 0,
    dataSetType: DATA_SET,
  };
  const characterSet = text(query.identifier, 'SpecificCharacterSet');
  const identifier = encodeDataSet(query.identifier, transferSyntax, characterSet);
  const canceller = new Canceller(association, { peer, messageId, signal });
  try {
    if (!(await association.send(CONTEXT, request, identifier))) throw lost(association, peer, signal);
    const next = (): Promise<Message | undefined> => response(association, request, peer);
    return await gather(next, line, canceller, query.limit);
  } finally {
    canceller.stop();
  }
}

async function gather(
  next: () => Promise<Message | undefined>,
  { association, transferSyntax, peer, signal }: Line,
  canceller: Canceller,
  limit: number,
): Promise<Matches> {
  const matches: DataSet[] = [];
  for (;;) {
    const message = await next();
    const cancelledByCaller = signal?.aborted === true;
    if (message === undefined) {
      // a peer that does not end after C-CANCEL has been aborted: what it gave before counts
      if (canceller.sent && !cancelledByCaller) return { matches, status: CANCELLED };
      throw lost(association, peer, signal);
    }
    const status = message.command.status ?? 0;
    if (!isPending(status)) {
      if (cancelledByCaller) throw cancelled();
      if (status === 0 || status === CANCELLED) return { matches, status };
      const { message: why, passes } = said('C-FIND', message.command, peer);
      throw new FailureError((passes ? transient : permanent)('FIND_FAILED', why));
    }
    if (canceller.sent) continue;
    matches.push(match(message, transferSyntax, peer));
    if (matches.length >= limit) await canceller.cancel();
  }
}

const isPending = (status: number): boolean => status === 0xff00 || status === 0xff01;

function match({ dataSet }: Message, transferSyntax: string, peer: Peer): DataSet {
  try {
    return decodeDataSet(dataSet ?? new Uint8Array(0), transferSyntax);
  } catch (error) {
    throw new FailureError(
      permanent(
        'BAD_RESPONSE',
        `${nameOf(peer)} sent a match that cannot be decoded; report it to its vendor.`,
      ),
      error,
    );
  }
}

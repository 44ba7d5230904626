/** C-FIND as SCU (PS3.7 9.1.2, PS3.4 C.4.1). */
import {
  decodeDataSet,
  describeStatus,
  encodeDataSet,
  text,
  transferSyntaxes,
  type DataSet,
} from '@scanflow/dicom';
import { type Failure, FailureError, permanent, transient } from '@scanflow/failure';
import type { Association } from '../association.ts';
import { failureOf } from '../failure.ts';
import { COMMAND, DATA_SET, hex } from '../message/command.ts';
import type { Message } from '../message/assembler.ts';
import type { Context } from '../ul/negotiation.ts';
import { associate, release } from './associate.ts';
import { Canceller } from './cancel.ts';
import { cancelled, nameOf, type Peer } from './peer.ts';
import { lost, messageIds, response } from './response.ts';

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
  | { readonly ok: false; readonly failure: Failure };

interface Matches {
  readonly matches: DataSet[];
  readonly status: number;
}

export const FIND_SYNTAXES = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
] as const;

const CONTEXT = 1;
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

export type FindResults =
  | { readonly ok: true; readonly answers: readonly Matches[] }
  | { readonly ok: false; readonly failure: Failure };

/** Several queries over one association: the matches of each. The first that fails is the result. Never rejects. */
export async function findAll(
  peer: Peer,
  { sopClass, identifiers, limit }: FindQueries,
  signal?: AbortSignal,
): Promise<FindResults> {
  try {
    const proposed = { id: CONTEXT, abstractSyntax: sopClass, transferSyntaxes: FIND_SYNTAXES };
    const association = await associate(peer, [proposed], signal);
    const nextId = messageIds();
    try {
      const answers: Matches[] = [];
      for (const identifier of identifiers) {
        if (signal?.aborted === true) throw cancelled();
        const query = { sopClass, identifier, limit: limit ?? LIMIT };
        answers.push(await ask(association, peer, query, nextId(), signal));
      }
      return { ok: true, answers };
    } finally {
      await release(association, peer);
    }
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}

async function ask(
  association: Association,
  peer: Peer,
  query: Required<FindQuery>,
  messageId: number,
  signal?: AbortSignal,
): Promise<Matches> {
  const context = association.context(CONTEXT);
  if (context === undefined) {
    throw new FailureError(
      permanent('NOT_NEGOTIATED', `${nameOf(peer)} does not offer SOP class ${query.sopClass}.`),
    );
  }
  const request = {
    affectedSopClassUid: query.sopClass,
    commandField: COMMAND.findRq,
    messageId,
    priority: 0,
    dataSetType: DATA_SET,
  };
  const characterSet = text(query.identifier, 'SpecificCharacterSet') ?? 'ISO_IR 6';
  const identifier = encodeDataSet(query.identifier, context.transferSyntax, characterSet);
  const canceller = new Canceller(association, { peer, contextId: CONTEXT, messageId, signal });
  try {
    if (!(await association.send(CONTEXT, request, identifier))) throw lost(association, peer, signal);
    const next = (): Promise<Message | undefined> => response(association, request, peer);
    return await gather(next, { association, context, peer, canceller, limit: query.limit, signal });
  } finally {
    canceller.stop();
  }
}

interface Gathering {
  readonly association: Association;
  readonly context: Context;
  readonly peer: Peer;
  readonly canceller: Canceller;
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
}

async function gather(next: () => Promise<Message | undefined>, gathering: Gathering): Promise<Matches> {
  const { association, context, peer, canceller, limit, signal } = gathering;
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
      return { matches, status: final(status, message, peer) };
    }
    if (canceller.sent) continue;
    matches.push(match(message, context, peer));
    if (matches.length >= limit) await canceller.cancel();
  }
}

const isPending = (status: number): boolean => status === 0xff00 || status === 0xff01;

function match(message: Message, context: Context, peer: Peer): DataSet {
  try {
    return decodeDataSet(message.dataSet ?? new Uint8Array(0), context.transferSyntax);
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

function final(status: number, { command }: Message, peer: Peer): number {
  if (status === 0 || status === CANCELLED) return status;
  const { meaning, transient: passes } = describeStatus('C-FIND', status);
  const comment = command.errorComment === undefined ? '' : ` (${command.errorComment})`;
  const message = `${nameOf(peer)} answered C-FIND with: ${meaning}${comment} (status ${hex(status)}).`;
  throw new FailureError((passes ? transient : permanent)('FIND_FAILED', message));
}

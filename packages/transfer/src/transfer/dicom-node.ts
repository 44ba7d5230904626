/** Source and target by DICOM itself: C-ECHO, C-FIND and C-MOVE. */
import { FailureError, permanent, type Failure } from '@scanflow/failure';
import { sopClasses, type DataSet } from '@scanflow/dicom';
import { echo, findAll, move, type Peer } from '@scanflow/dimse';
import {
  type Holding,
  type Source,
  type Target,
  holdingOf,
  identifier,
  imageKeys,
  MOST_ANSWERS,
  moveKeys,
  seriesIn,
  seriesKeys,
  studiesIn,
  studyKeys,
  toList,
} from './nodes.ts';

interface SourceOptions {
  readonly peer: Peer;
  /** AE title of the target. */
  readonly destination: string;
  /** Longest silence in a move, in milliseconds. */
  readonly quietMs: number;
}

/** An archive by C-FIND and C-MOVE. Its methods throw FailureError: `DEST_…`, `FIND_FAILED`, `TRANSFER_TOO_MANY` and others. */
export function dicomSource({ peer, destination, quietMs }: SourceOptions): Source {
  return {
    name: nameOf(peer),
    check: (signal) => verify(peer, signal),
    studies: async (request, signal) => {
      const [answers = []] = await ask(peer, [identifier(studyKeys(request))], signal);
      return studiesIn(answers, request);
    },
    holding: (studyUid, signal) => holding(peer, studyUid, undefined, signal),
    move: (part, sent, signal) =>
      move(
        peer,
        {
          sopClass: sopClasses.studyRootMove,
          destination,
          identifier: identifier(moveKeys(part)),
          quietMs,
          onProgress: ({ completed = 0, warning = 0 }) => sent(completed + warning),
        },
        signal,
      ),
  };
}

/** UID of a study that nobody has. */
const NOBODYS = '2.25.0';

/** A node that gets images, and can be queried by C-FIND. Its methods throw FailureError. */
export function dicomTarget(peer: Peer): Target {
  return {
    name: nameOf(peer),
    check: async (signal) => {
      await verify(peer, signal);
      await ask(peer, [identifier(seriesKeys(NOBODYS))], signal);
    },
    holding: (studyUid, signal, wanted) => holding(peer, studyUid, wanted, signal),
  };
}

const nameOf = ({ calledAet, host, port }: Peer): string =>
  `${calledAet}@${host.includes(':') ? `[${host}]` : host}:${port}`;

async function verify(peer: Peer, signal: AbortSignal): Promise<void> {
  const result = await echo(peer, signal);
  if (!result.ok) throw new FailureError(result.failure);
}

async function ask(
  peer: Peer,
  identifiers: readonly DataSet[],
  signal: AbortSignal,
): Promise<readonly (readonly DataSet[])[]> {
  const queries = { sopClass: sopClasses.studyRootFind, identifiers, limit: MOST_ANSWERS };
  const found = await findAll(peer, queries, signal);
  if (!found.ok) throw new FailureError(found.failure);
  // we cancelled it at the limit
  if (found.answers.some(({ status }) => status !== 0)) throw new FailureError(tooMany(nameOf(peer)));
  return found.answers.map(({ matches }) => matches);
}

const tooMany = (node: string): Failure =>
  permanent(
    'TRANSFER_TOO_MANY',
    `${node} has more than ${MOST_ANSWERS} answers to one query. Request less at a time.`,
  );

async function holding(
  peer: Peer,
  studyUid: string,
  wanted: Holding | undefined,
  signal: AbortSignal,
): Promise<Holding> {
  const [answers = []] = await ask(peer, [identifier(seriesKeys(studyUid))], signal);
  const counts = seriesIn(answers);
  const uids = toList(counts, wanted);
  const lists = uids.length === 0 ? [] : await listed(peer, studyUid, uids, signal);
  return holdingOf(counts, new Map(uids.map((uid, at) => [uid, lists[at] ?? []])), nameOf(peer));
}

/** The images of each series; none if the peer has no IMAGE level. */
async function listed(
  peer: Peer,
  studyUid: string,
  uids: readonly string[],
  signal: AbortSignal,
): Promise<readonly (readonly DataSet[])[]> {
  try {
    const identifiers = uids.map((uid) => identifier(imageKeys(studyUid, uid)));
    return await ask(peer, identifiers, signal);
  } catch (error) {
    const refused =
      error instanceof FailureError &&
      error.failure.code === 'FIND_FAILED' &&
      error.failure.kind === 'permanent';
    if (refused) return [];
    throw error;
  }
}

/**
 * Images in a transfer syntax that a node refuses go there as copies that Orthanc transcodes (PS3.5 10: to one that it
 * takes), without loss: uncompressed. Nothing that is stored changes.
 */
import { transferSyntaxes } from '@scanflow/dicom';
import { type Failure, permanent } from '@scanflow/failure';
import { failureOf } from '../model/failure.ts';
import type { Kind, SendItem, Sender, SendOptions, SendOutcome } from '../ports.ts';
import type { OpenCopy } from './transcoded-copy.ts';

/** In this order: every node has to take the second (PS3.5 10.1), and the first says more. */
const TARGETS: readonly string[] = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
];

export interface TranscodeDeps {
  /** Which of the kinds the node takes. Throws where it cannot be asked. */
  readonly accepts: (kinds: readonly Kind[], signal: AbortSignal) => Promise<readonly Kind[]>;
  readonly openCopy: OpenCopy;
}

interface Refused {
  readonly item: SendItem;
  readonly outcome: SendOutcome;
}

/** The sender, and what it was refused for its transfer syntax alone once more in another one. */
export const transcoding = (sender: Sender, deps: TranscodeDeps): Sender => ({
  send: (items, options) => sendBoth(items, options, sender, deps),
  close: () => sender.close(),
});

async function* sendBoth(
  items: AsyncIterable<SendItem>,
  options: SendOptions,
  sender: Sender,
  deps: TranscodeDeps,
): AsyncGenerator<SendOutcome, void, undefined> {
  const underWay = new Map<string, SendItem>();
  const refused: Refused[] = [];
  const remembered = async function* (): AsyncGenerator<SendItem> {
    for await (const item of items) {
      underWay.set(item.id, item);
      yield item;
    }
  };
  for await (const outcome of sender.send(remembered(), options)) {
    const item = underWay.get(outcome.id);
    underWay.delete(outcome.id);
    if (item?.original === undefined || !isNotNegotiated(outcome)) yield outcome;
    else refused.push({ item, outcome });
  }
  if (refused.length > 0) yield* sendCopies(refused, options, sender, deps);
}

const isNotNegotiated = (outcome: SendOutcome): boolean =>
  outcome.result === 'failed' && outcome.failure.code === 'NOT_NEGOTIATED';

async function* sendCopies(
  refused: readonly Refused[],
  options: SendOptions,
  sender: Sender,
  { accepts, openCopy }: TranscodeDeps,
): AsyncGenerator<SendOutcome, void, undefined> {
  let taken: readonly Kind[];
  try {
    taken = await accepts(kindsFor(refused), options.signal);
  } catch (error) {
    const failure = failureOf(error);
    for (const { outcome } of refused) yield { id: outcome.id, result: 'failed', failure };
    return;
  }
  const targets = new Map<string, string>();
  const copies: SendItem[] = [];
  for (const { item, outcome } of refused) {
    const target = TARGETS.find((syntax) =>
      taken.some((kind) => kind.sopClassUid === item.original?.sopClassUid && kind.transferSyntax === syntax),
    );
    if (target === undefined || item.original === undefined) {
      yield withAdvice(outcome);
      continue;
    }
    targets.set(item.id, target);
    copies.push(copyOf(item, item.original, target, openCopy, options.signal));
  }
  if (copies.length === 0) return;
  for await (const outcome of sender.send(each(copies), options)) {
    const transcoded = targets.get(outcome.id);
    yield transcoded === undefined ? outcome : { ...outcome, transcoded };
  }
}

const kindsFor = (refused: readonly Refused[]): Kind[] => {
  const classes = new Set(refused.flatMap(({ item }) => item.original?.sopClassUid ?? []));
  return [...classes].flatMap((sopClassUid) =>
    TARGETS.map((transferSyntax) => ({ sopClassUid, transferSyntax })),
  );
};

const copyOf = (
  { id }: SendItem,
  original: NonNullable<SendItem['original']>,
  target: string,
  openCopy: OpenCopy,
  signal: AbortSignal,
): SendItem => ({
  id,
  open: () => openCopy(original, target, signal),
  // Orthanc has the image as it came, without the tag
  ...(original.look === undefined ? {} : { look: original.look }),
});

async function* each(items: readonly SendItem[]): AsyncGenerator<SendItem> {
  for (const item of items) yield await Promise.resolve(item);
}

/** It takes the SOP class uncompressed neither: no copy would help. */
function withAdvice(outcome: SendOutcome): SendOutcome {
  if (outcome.result !== 'failed') return outcome;
  const failure: Failure = permanent(
    outcome.failure.code,
    `${outcome.failure.message} It does not take the SOP class uncompressed either, so a converted copy does not help: make it accept the SOP class, or leave such series out by when.`,
  );
  return { ...outcome, failure };
}

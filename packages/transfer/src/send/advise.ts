/** What to do about images whose transfer syntax a peer does not accept: asks the peer which ones it accepts. */
import { accepts, type Peer } from '@scanflow/dimse/store';
import type { FailedFile, Tally } from './tally.ts';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';

/** Proposed syntaxes, most useful first: name (PS3.6 annex A), and the program of DCMTK or GDCM that decodes it. */
const SYNTAXES: ReadonlyMap<string, readonly [name: string, tool: string]> = new Map([
  [EXPLICIT, ['Explicit VR Little Endian', 'dcmconv']],
  [IMPLICIT, ['Implicit VR Little Endian', 'dcmconv']],
  ['1.2.840.10008.1.2.1.99', ['Deflated Explicit VR Little Endian', 'dcmconv']],
  ['1.2.840.10008.1.2.2', ['Explicit VR Big Endian', 'dcmconv']],
  ['1.2.840.10008.1.2.4.70', ['JPEG Lossless SV1', 'dcmdjpeg']],
  ['1.2.840.10008.1.2.4.57', ['JPEG Lossless', 'dcmdjpeg']],
  ['1.2.840.10008.1.2.4.50', ['JPEG Baseline', 'dcmdjpeg']],
  ['1.2.840.10008.1.2.4.51', ['JPEG Extended', 'dcmdjpeg']],
  ['1.2.840.10008.1.2.4.80', ['JPEG-LS Lossless', 'dcmdjpls']],
  ['1.2.840.10008.1.2.4.81', ['JPEG-LS Near-lossless', 'dcmdjpls']],
  ['1.2.840.10008.1.2.4.90', ['JPEG 2000 Lossless', 'gdcmconv --raw']],
  ['1.2.840.10008.1.2.4.91', ['JPEG 2000', 'gdcmconv --raw']],
  ['1.2.840.10008.1.2.5', ['RLE Lossless', 'dcmdrle']],
]);
/** One association proposes 128 contexts at most (PS3.8 9.3.2.2). */
const CLASSES = Math.floor(128 / SYNTAXES.size);

/**
 * Adds to each NOT_NEGOTIATED failure of the tally which transfer syntaxes the peer accepts. Opens one association. If the
 * peer does not answer, the messages stay as they are. Never rejects.
 */
export async function advise(tally: Tally, peer: Peer, signal: AbortSignal): Promise<void> {
  const refused = [...tally.failures.values()].filter((one) => one.notNegotiated !== undefined);
  const classes = [...new Set(refused.flatMap(({ notNegotiated }) => notNegotiated?.sopClassUid ?? []))];
  const asked = classes.slice(0, CLASSES);
  const kinds = asked.flatMap((sopClassUid) =>
    [...SYNTAXES.keys()].map((transferSyntax) => ({ sopClassUid, transferSyntax })),
  );
  let taken: Awaited<ReturnType<typeof accepts>>;
  try {
    taken = await accepts(peer, kinds, signal);
  } catch {
    // the failures are reported as they are
    return;
  }
  for (const one of refused) {
    const { notNegotiated, failure, file } = one;
    if (notNegotiated === undefined || !asked.includes(notNegotiated.sopClassUid)) continue;
    const takes = taken
      .filter(({ sopClassUid }) => sopClassUid === notNegotiated.sopClassUid)
      .map(({ transferSyntax }) => transferSyntax);
    const message = `${failure.message} ${hint(notNegotiated.transferSyntax, takes)}`;
    tally.failures.set(file, { ...one, failure: { ...failure, message } } satisfies FailedFile);
  }
}

/**
 * What to do about one file, in sentences.
 *
 * @param syntax transfer syntax of the file
 * @param takes transfer syntaxes that the peer accepts for its SOP class
 */
export function hint(syntax: string, takes: readonly string[]): string {
  if (takes.length === 0)
    return 'It takes no images of this SOP class at all: make it accept them, or leave them out.';
  const list = takes.map((uid) => SYNTAXES.get(uid)?.[0] ?? uid).join(', ');
  const target = takes.includes(EXPLICIT) ? '+te' : takes.includes(IMPLICIT) ? '+ti' : undefined;
  const tool = SYNTAXES.get(syntax)?.[1];
  if (target === undefined || tool === undefined)
    return `It takes: ${list}. Convert the files to one of these.`;
  const program = tool === 'gdcmconv --raw' ? tool : `${tool} ${target}`;
  return `It takes: ${list}. Convert the files first, such as by ${program} IN OUT, then send those.`;
}

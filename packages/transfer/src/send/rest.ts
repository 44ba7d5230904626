/** Files that were given up before anybody looked into them: which series they are of belongs in the report. */
import { open } from 'node:fs/promises';
import type { Found } from './found.ts';
import { filesOf, type Input } from './inputs.ts';
import { lookFor, type Seen } from './look.ts';
import type { Spool } from './spool.ts';
import type { Tally } from './tally.ts';

const HEAD = 262_144;

/** Counts them where they belong; what is no image counts as skipped. */
export async function seeRest(
  { inputs, signal }: { readonly inputs: readonly Input[]; readonly signal: AbortSignal },
  tally: Tally,
  spool: Spool,
): Promise<void> {
  const { unseen } = tally;
  if (unseen.size === 0 || signal.aborted) return;
  const wanted = (id: string): boolean => unseen.has(id);
  // what could not be read has been told of
  const options = { wanted, spool, trouble: () => undefined };
  for await (const found of filesOf(inputs, options)) {
    const seen = await see(found, tally).catch(() => undefined);
    found.drop?.();
    if (seen === 'no image') tally.skip(found.id);
    else if (seen !== undefined) tally.place(found, seen);
  }
}

async function see({ path, bytes }: Found, { known }: Tally): Promise<Seen | 'no image' | undefined> {
  const { head, size } = bytes === undefined ? await headOf(path ?? '') : { head: bytes, size: bytes.length };
  // one of which nothing was written, or that says that it is DICOM and breaks off, stays a failure
  if (size === 0) return undefined;
  if (Buffer.from(head.subarray(128, 132)).toString('latin1') !== 'DICM') return 'no image';
  let seen: Seen | undefined;
  const look = lookFor(undefined, known, (what) => (seen = what));
  const result = look({ head, complete: head.length === size, size });
  return 'failure' in result ? 'no image' : seen;
}

async function headOf(path: string): Promise<{ head: Uint8Array; size: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(HEAD, size)), 0);
    return { head: buffer.subarray(0, bytesRead), size };
  } finally {
    await file.close();
  }
}

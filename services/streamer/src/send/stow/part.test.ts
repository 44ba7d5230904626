import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { applyEdits, makeSeries, planSplice, readPart10Header, type Part10Header } from '@scanflow/dicom';
import type { StoreItem } from '@scanflow/dimse';
import { openPart } from './part.ts';

const TAG = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' } as const;
const when = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
const [image] = [...makeSeries({ modality: 'MR', images: 1, rows: 64, columns: 64, when, seed: 1 })];
assert.ok(image !== undefined);
const headerOf = (bytes: Uint8Array): Part10Header => {
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  return header;
};
const original = headerOf(image.bytes);
const bare = Buffer.from(image.bytes.subarray(original.dataSetOffset));

async function sent(item: StoreItem): Promise<Buffer> {
  const part = await openPart(item);
  const bytes = Buffer.concat(await Array.fromAsync(part.chunks()));
  assert.equal(bytes.length, part.length);
  assert.equal(part.sopInstanceUid, original.sopInstanceUid);
  return bytes;
}

test('stow: a data set alone is sent with file meta information before it, and is as it was', async () => {
  const sha256 = createHash('sha256').update(bare).digest('hex');
  const bytes = await sent({ id: 'bare', bytes: bare, sha256 });
  const { transferSyntax, sopClassUid, sopInstanceUid, dataSetOffset } = headerOf(bytes);
  assert.deepEqual(
    [transferSyntax, sopClassUid, sopInstanceUid],
    [original.transferSyntax, original.sopClassUid, original.sopInstanceUid],
  );
  assert.ok(bytes.subarray(dataSetOffset).equals(bare));
});

test('stow: a data set alone gets the tag on the way, too', async () => {
  const plan = planSplice(bare, TAG, true);
  assert.ok(plan.kind === 'splice');
  const { edits } = plan;
  const bytes = await sent({ id: 'bare', bytes: bare, look: () => ({ edits }) });
  assert.ok(bytes.subarray(headerOf(bytes).dataSetOffset).equals(applyEdits(bare, edits)));
});

test('stow: a file with all it needs is sent as it is', async () => {
  assert.ok((await sent({ id: 'whole', bytes: image.bytes })).equals(image.bytes));
});

/** Frames: however a message comes and however little room there is, whole PDUs leave that give it back. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pdv } from '../../ul/pdu.ts';
import { PduReader } from '../../ul/reader.ts';
import { FRAME_HEADER, Frames, Wire } from './outlet.ts';

/** Copies bytes to the wire, or fills the room that it sets aside for them; gives how many. */
const PUT = (frames: Frames, bytes: Uint8Array, wire: Wire): number => frames.put(bytes, wire);
const fill =
  (enough?: number) =>
  (frames: Frames, bytes: Uint8Array, wire: Wire): number => {
    let taken = 0;
    for (const room of frames.reserve(bytes.length, wire, enough))
      room.set(bytes.subarray(taken, (taken += room.length)));
    return taken;
  };

/** Sends the pieces over wires of `room` bytes, each with whole PDUs only, as the outlet does. */
function leave(pieces: readonly Uint8Array[], size: number, room: number, put = PUT): Pdv[] {
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const frames = new Frames({ contextId: 3, command: false, size, total });
  const values: Pdv[] = [];
  const wire = new Wire(room);
  const flush = (): void => {
    for (const pdu of new PduReader({ dataBytes: size + 6, associateBytes: 0 }).push(
      Buffer.from(wire.buffer.subarray(0, wire.used)),
    )) {
      assert.equal(pdu.type, 'p-data');
      values.push(...pdu.values);
    }
    wire.used = 0;
  };
  for (const piece of pieces)
    for (let rest = piece; rest.length > 0;) {
      rest = rest.subarray(put(frames, rest, wire));
      if (rest.length > 0) flush();
    }
  flush();
  return values;
}

test('frames: pieces of any length, fragments of any size and little room give the message back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 0, max: 100 }),
      fc.constantFrom(PUT, fill(), fill(1), fill(150)),
      (pieces, size, spare, put) => {
        const values = leave(pieces, size, 2 * (size + FRAME_HEADER) + spare, put);
        assert.deepEqual(Buffer.concat(values.map(({ data }) => data)), Buffer.concat(pieces));
        assert.ok(
          values.every(({ data, contextId, command }) => data.length <= size && contextId === 3 && !command),
        );
        assert.deepEqual(
          values.map(({ last }) => last),
          values.map((_, index) => index === values.length - 1),
        );
      },
    ),
  );
});

test('frames: no fragment begins behind enough bytes of a write, and one that began is filled', () => {
  const frames = new Frames({ contextId: 3, command: false, size: 100, total: 1000 });
  const wire = new Wire(2000);
  const sizes = (most: number): number[] => frames.reserve(most, wire, 120).map(({ length }) => length);
  assert.deepEqual(sizes(150), [100, 50]);
  assert.deepEqual(sizes(850), [50]);
  assert.deepEqual(sizes(800), []);
  wire.used = 0;
  assert.deepEqual(sizes(800), [100, 100]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hint } from './tally.ts';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const JPEG_2000 = '1.2.840.10008.1.2.4.90';

test('advise: the program that converts to what the peer takes, Explicit VR before Implicit', () => {
  assert.match(hint(JPEG_2000, [EXPLICIT, IMPLICIT]), /Explicit VR .*, Implicit VR .* gdcmconv --raw IN OUT/);
  assert.match(hint('1.2.840.10008.1.2.4.70', [IMPLICIT]), /dcmdjpeg \+ti IN OUT/);
});

test('advise: no program is named where none is known', () => {
  assert.match(hint('1.2.840.10008.1.2.4.201', [EXPLICIT]), /Convert the files to one of these/);
  assert.match(hint(EXPLICIT, [JPEG_2000]), /It takes: JPEG 2000 Lossless\. Convert the files to one/);
});

test('advise: a SOP class that the peer takes in no way', () => {
  assert.match(hint(EXPLICIT, []), /no images of this SOP class/);
});

/** What the configuration takes as a character set, the codec can write: they know nothing of each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHARACTER_SETS, NARROW_SETS, WIDE_SETS } from '@scanflow/config';
import { isWritableCharacterSet } from '@scanflow/dicom';

test('character sets: all that can be configured can be written', () => {
  const extended = [...NARROW_SETS, ...WIDE_SETS].map((number) => `ISO 2022 IR ${number}`);
  for (const term of [...CHARACTER_SETS, ...extended, ...extended.map((one) => `\\${one}`)])
    assert.ok(isWritableCharacterSet(term), term);
});

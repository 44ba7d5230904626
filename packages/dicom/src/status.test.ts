import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeStatus, type DimseService } from './index.ts';

test('status: category, meaning and whether it may pass, by service', () => {
  const cases: readonly [DimseService, number, string, boolean, RegExp][] = [
    ['C-ECHO', 0x0000, 'success', false, /success/],
    ['C-STORE', 0x0000, 'success', false, /success/],
    ['C-STORE', 0xa700, 'failure', true, /out of resources/],
    ['C-STORE', 0xa7ff, 'failure', true, /out of resources/],
    ['C-STORE', 0xa900, 'failure', false, /does not match/],
    ['C-STORE', 0xc123, 'failure', false, /understand/],
    ['C-STORE', 0xb000, 'warning', false, /coerced/],
    ['C-STORE', 0xb006, 'warning', false, /discarded/],
    ['C-STORE', 0xb007, 'warning', false, /does not match/],
    ['C-STORE', 0xb123, 'warning', false, /no table/],
    ['C-STORE', 0x0122, 'failure', false, /not supported/],
    ['C-STORE', 0x0213, 'failure', true, /resource/],
    ['C-STORE', 0x0110, 'failure', true, /processing/],
    ['C-STORE', 0x0124, 'failure', false, /authorized/],
    ['C-STORE', 0x4242, 'failure', false, /no table/],
    ['C-FIND', 0xff00, 'pending', false, /match/],
    ['C-FIND', 0xff01, 'pending', false, /optional keys/],
    ['C-FIND', 0xfe00, 'cancel', false, /cancelled/],
    ['C-FIND', 0xa700, 'failure', true, /resources/],
    ['C-FIND', 0xa900, 'failure', false, /identifier/],
    ['C-FIND', 0xc001, 'failure', false, /unable/],
    ['C-MOVE', 0xa701, 'failure', true, /count the matches/],
    ['C-MOVE', 0xa702, 'failure', true, /unable to send/],
    ['C-MOVE', 0xa801, 'failure', false, /destination unknown/],
    ['C-MOVE', 0xa900, 'failure', false, /identifier/],
    ['C-MOVE', 0xc001, 'failure', true, /unable to process/],
    ['C-MOVE', 0xb000, 'warning', false, /some images failed/],
    ['C-MOVE', 0xfe00, 'cancel', false, /cancelled/],
    ['C-MOVE', 0xff00, 'pending', false, /being sent/],
    ['C-ECHO', 0x0211, 'failure', false, /unrecognized/],
  ];
  for (const [service, status, category, transient, meaning] of cases) {
    const described = describeStatus(service, status);
    assert.equal(described.category, category, `${service} ${status.toString(16)}`);
    assert.equal(described.transient, transient, `${service} ${status.toString(16)}`);
    assert.match(described.meaning, meaning);
  }
});

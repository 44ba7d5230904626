/** The state table against table 9-10 of PS3.8, written out again as the standard prints it. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { TABLE, transition, type State, type UlEvent } from './states.ts';

/** One column per Sta1 to Sta13; `.` is a blank cell, `8>13` stands for AA-8 → Sta13. */
const PRINTED: Readonly<Record<UlEvent, string>> = {
  'associate request': 'AE-1>4 . . . . . . . . . . . .',
  'transport confirmed': '. . . AE-2>5 . . . . . . . . .',
  'associate-ac PDU':
    '. AA-1>13 AA-8>13 . AE-3>6 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-6>13',
  'associate-rj PDU':
    '. AA-1>13 AA-8>13 . AE-4>1 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-6>13',
  'transport indicated': 'AE-5>2 . . . . . . . . . . . .',
  'associate-rq PDU':
    '. AE-6>3 AA-8>13 . AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-7>13',
  'unacceptable associate-rq PDU':
    '. AE-8>13 AA-8>13 . AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-7>13',
  'associate accepted': '. . AE-7>6 . . . . . . . . . .',
  'associate rejected': '. . AE-8>13 . . . . . . . . . .',
  'data request': '. . . . . DT-1>6 . AR-7>8 . . . . .',
  'p-data PDU': '. AA-1>13 AA-8>13 . AA-8>13 DT-2>6 AR-6>7 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-6>13',
  'release request': '. . . . . AR-1>7 . . . . . . .',
  'release-rq PDU':
    '. AA-1>13 AA-8>13 . AA-8>13 AR-2>8 AR-8>9|10 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-6>13',
  'release-rp PDU':
    '. AA-1>13 AA-8>13 . AA-8>13 AA-8>13 AR-3>1 AA-8>13 AA-8>13 AR-10>12 AR-3>1 AA-8>13 AA-6>13',
  'release response': '. . . . . . . AR-4>13 AR-9>11 . . AR-4>13 .',
  'abort request': '. . AA-1>13 AA-2>1 AA-1>13 AA-1>13 AA-1>13 AA-1>13 AA-1>13 AA-1>13 AA-1>13 AA-1>13 .',
  'abort PDU': '. AA-2>1 AA-3>1 . AA-3>1 AA-3>1 AA-3>1 AA-3>1 AA-3>1 AA-3>1 AA-3>1 AA-3>1 AA-2>1',
  'transport closed': '. AA-5>1 AA-4>1 AA-4>1 AA-4>1 AA-4>1 AA-4>1 AA-4>1 AA-4>1 AA-4>1 AA-4>1 AA-4>1 AR-5>1',
  'ARTIM expired': '. AA-2>1 . . . . . . . . . . AA-2>1',
  'invalid PDU':
    '. AA-1>13 AA-8>13 . AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-8>13 AA-7>13',
};

test('states: every cell is table 9-10 of PS3.8', () => {
  for (const [event, row] of Object.entries(PRINTED) as [UlEvent, string][]) {
    const cells = row.split(' ');
    assert.equal(cells.length, 13, event);
    cells.forEach((cell, index) => {
      const state = (index + 1) as State;
      const [action, next = ''] = cell.split('>');
      const [requestor, acceptor = requestor] = next.split('|');
      const expect = (to: string | undefined): unknown =>
        cell === '.' ? undefined : { action, next: Number(to) };
      assert.deepEqual(transition(state, event, 'requestor'), expect(requestor), `${event} in Sta${state}`);
      assert.deepEqual(transition(state, event, 'acceptor'), expect(acceptor), `${event} in Sta${state}`);
    });
  }
});

test('states: whatever a peer sends has a cell in every state in which there is a connection', () => {
  const fromOutside = Object.keys(TABLE).filter((event) => /PDU|closed/.test(event)) as UlEvent[];
  const connected = [2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13] as const;
  for (const event of fromOutside) {
    for (const state of connected) {
      assert.notEqual(transition(state, event, 'acceptor'), undefined, `${event} in Sta${state}`);
    }
  }
});

/**
 * The upper layer protocol machine: PS3.8 9.2, table 9-10, whole, for both roles. The actions themselves
 * (tables 9-6 to 9-9) are carried out by provider.ts.
 */

/**
 * PS3.8 table 9-1 to 9-5. 1 idle; 2 connected, awaiting A-ASSOCIATE-RQ; 3 awaiting the local answer to it; 4 connecting;
 * 5 awaiting A-ASSOCIATE-AC or -RJ; 6 established; 7 awaiting A-RELEASE-RP; 8 awaiting the local release response;
 * 9 to 12 release collision; 13 awaiting the transport's close.
 */
export type State = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13;

export type Role = 'requestor' | 'acceptor';

export type UlEvent =
  | 'associate request'
  | 'transport confirmed'
  | 'associate-ac PDU'
  | 'associate-rj PDU'
  | 'transport indicated'
  | 'associate-rq PDU'
  | 'unacceptable associate-rq PDU'
  | 'associate accepted'
  | 'associate rejected'
  | 'data request'
  | 'p-data PDU'
  | 'release request'
  | 'release-rq PDU'
  | 'release-rp PDU'
  | 'release response'
  | 'abort request'
  | 'abort PDU'
  | 'transport closed'
  | 'ARTIM expired'
  | 'invalid PDU';

export type Action =
  | `AE-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`
  | `DT-${1 | 2}`
  | `AR-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10}`
  | `AA-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

interface Cell {
  readonly action: Action;
  readonly next: State;
  /** Where the two roles part (AR-8): the acceptor's next state. */
  readonly nextOfAcceptor?: State;
}
type Row = Partial<Record<State, Cell>>;

const go = (action: Action, next: State): Cell => ({ action, next });
const AA1 = go('AA-1', 13);
const AA6 = go('AA-6', 13);
const AA7 = go('AA-7', 13);
const AA8 = go('AA-8', 13);
const closed = go('AA-4', 1);
const aborted = go('AA-3', 1);

/** Sta3 and Sta5 to Sta12 all hold `cell`; `others` are written over it. */
const busy = (cell: Cell, others: Row): Row => ({
  ...{ 3: cell, 5: cell, 6: cell, 7: cell, 8: cell, 9: cell, 10: cell, 11: cell, 12: cell },
  ...others,
});

/** An absent cell is an event that cannot happen in that state (blank in table 9-10). */
export const TABLE: Readonly<Record<UlEvent, Row>> = {
  'associate request': { 1: go('AE-1', 4) },
  'transport confirmed': { 4: go('AE-2', 5) },
  'associate-ac PDU': busy(AA8, { 2: AA1, 5: go('AE-3', 6), 13: AA6 }),
  'associate-rj PDU': busy(AA8, { 2: AA1, 5: go('AE-4', 1), 13: AA6 }),
  'transport indicated': { 1: go('AE-5', 2) },
  // AE-6 decides between Sta3 and a rejection by the provider: two events here, so that a cell has one outcome
  'associate-rq PDU': busy(AA8, { 2: go('AE-6', 3), 13: AA7 }),
  'unacceptable associate-rq PDU': busy(AA8, { 2: go('AE-8', 13), 13: AA7 }),
  'associate accepted': { 3: go('AE-7', 6) },
  'associate rejected': { 3: go('AE-8', 13) },
  'data request': { 6: go('DT-1', 6), 8: go('AR-7', 8) },
  'p-data PDU': busy(AA8, { 2: AA1, 6: go('DT-2', 6), 7: go('AR-6', 7), 13: AA6 }),
  'release request': { 6: go('AR-1', 7) },
  'release-rq PDU': busy(AA8, {
    2: AA1,
    6: go('AR-2', 8),
    7: { action: 'AR-8', next: 9, nextOfAcceptor: 10 },
    13: AA6,
  }),
  'release-rp PDU': busy(AA8, {
    2: AA1,
    7: go('AR-3', 1),
    10: go('AR-10', 12),
    11: go('AR-3', 1),
    13: AA6,
  }),
  'release response': { 8: go('AR-4', 13), 9: go('AR-9', 11), 12: go('AR-4', 13) },
  'abort request': busy(AA1, { 4: go('AA-2', 1) }),
  'abort PDU': busy(aborted, { 2: go('AA-2', 1), 13: go('AA-2', 1) }),
  'transport closed': busy(closed, { 2: go('AA-5', 1), 4: closed, 13: go('AR-5', 1) }),
  'ARTIM expired': { 2: go('AA-2', 1), 13: go('AA-2', 1) },
  'invalid PDU': busy(AA8, { 2: AA1, 13: AA7 }),
};

/** What happens in `state` on `event`; undefined where table 9-10 is blank. */
export function transition(
  state: State,
  event: UlEvent,
  role: Role,
): { action: Action; next: State } | undefined {
  const cell = TABLE[event][state];
  if (cell === undefined) return undefined;
  const next = role === 'acceptor' ? (cell.nextOfAcceptor ?? cell.next) : cell.next;
  return { action: cell.action, next };
}

/** What the receiver's ports allow: few scanners that send much, among many who may do neither. */
import type { ScpLimits } from '@scanflow/dimse';

/**
 * Idle associations cost little here, so there may be many. Where there are too many, a silent connection gives way to a
 * new one, then an association in which nothing came for a minute: scanners pause for less.
 */
export const receiverLimits = (idleMs: number): Partial<ScpLimits> => ({
  connections: 2_048,
  connectionsPerPeer: 512,
  // half of it waits in memory for each peer that began a PDU
  pduBytes: 65_536,
  // no service of ours here takes a data set but C-STORE
  dataSetBytes: 65_536,
  heldBytes: 134_217_728,
  heldBytesPerPeer: 33_554_432,
  freeBytes: 16_384,
  stalledMs: 60_000,
  idleMs,
  yieldMs: 60_000,
  // data sets wait on disk, so one request at a time is enough; senders that ask for no window send no more
  waitingRequests: 16,
});

/** Forgets what is over: deliveries, requests for verification, and settled requests for storage commitment. */
import type { Millis } from './claim.ts';
import type { Tx } from './tx.ts';

/** Deletes what ended before this moment. How many deliveries. */
export async function prune(tx: Tx, before: Millis): Promise<number> {
  await tx.run(`DELETE FROM commitment WHERE state IN ('answered', 'closed') AND updated < ?`, before);
  await tx.run('DELETE FROM verify_job WHERE created < ?', before);
  return tx.run(`DELETE FROM delivery WHERE state = 'done' AND updated < ?`, before);
}

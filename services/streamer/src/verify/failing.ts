/** Faults of a series' files that nobody has acknowledged. */
import type { Tx } from '../ledger/tx.ts';

/** Of `verification`. */
export const FAILING = `failure_code IS NOT NULL
  AND (verification.known_digest IS NULL OR verification.known_digest <> verification.digest)`;

export async function isFailing(tx: Tx, series: string): Promise<boolean> {
  const row = await tx.get(`SELECT series FROM verification WHERE series = ? AND ${FAILING}`, series);
  return row !== undefined;
}

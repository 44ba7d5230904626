/** A row of verification, as people and steps see it. */
import type { Row } from '../ledger/database.ts';
import { message, parse } from '../ledger/values.ts';
import type { Finding, PlaceName, VerificationView } from './types.ts';

export const partOf = (row: Row): { series: string; place: PlaceName } => ({
  series: String(row['series']),
  place: row['place'] === 'copy' ? 'copy' : 'storage',
});

export function verificationView(row: Row): VerificationView {
  const known = row['digest'] !== null && row['known_digest'] === row['digest'];
  return {
    place: partOf(row).place,
    stored: Number(row['stored']),
    // while a worker has it, this is the end of the lease
    due: row['claim'] === null ? parse.integer(row['due']) : null,
    looked: parse.integer(row['looked']),
    good: parse.integer(row['good']),
    files: Number(row['files']),
    bytes: Number(row['bytes']),
    failure: message(row['failure_code'], row['failure_message']),
    since: parse.integer(row['since']),
    findings: JSON.parse(parse.text(row['findings']) ?? '[]') as Finding[],
    digest: parse.text(row['digest']),
    acknowledged: known
      ? {
          by: String(row['known_by']),
          at: Number(row['known_at']),
          reason: String(row['known_reason']),
        }
      : undefined,
    trouble: message(row['trouble_code'], row['trouble_message']),
  };
}

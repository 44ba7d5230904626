/** The shape of a file of rules. */

/** config/bids-rules.schema.json, for editors. */
export function rulesJsonSchema(): string {
  return '{}\n';
}

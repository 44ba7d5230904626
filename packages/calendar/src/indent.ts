/** Removes the indent of feeds whose lines are indented, all alike or by the depth of their component. */

const BEGIN = /^([ \t]+)BEGIN:(?:VCALENDAR|VEVENT)\s*$/im;
const FLUSH = /^BEGIN:VEVENT\s*$/im;
/** How many characters the check covers: the first component decides. */
const HEAD = 65_536;

/** Whether components begin after blanks. All their lines would then count as folded (RFC 5545 3.1). */
export function isIndented(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, HEAD);
  return BEGIN.test(head) && !FLUSH.test(head);
}

/**
 * The lines of a component share the indent of its first line. A line with more blanks is folded, and keeps the
 * additional blanks.
 */
export function withoutIndent(bytes: Buffer): Buffer {
  const lines: string[] = [];
  let depth = 0;
  let isFirst = true;
  for (const line of bytes.toString('latin1').split('\n')) {
    const blanks = /^[ \t]*/.exec(line)?.[0].length ?? 0;
    const text = line.slice(blanks);
    const [, mark] = /^(BEGIN|END):[A-Z0-9-]+\s*$/i.exec(text) ?? [];
    if (isFirst && mark === undefined) depth = blanks;
    lines.push(mark !== undefined || blanks <= depth ? text : line.slice(depth));
    isFirst = mark !== undefined;
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}

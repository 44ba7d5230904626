/** Feeds whose lines are indented, each by as much or by the depth of its component. */

const BEGIN = /^([ \t]+)BEGIN:(?:VCALENDAR|VEVENT)\s*$/im;
const FLUSH = /^BEGIN:VEVENT\s*$/im;
/** How far a feed is looked into: its first component tells. */
const HEAD = 65_536;

/** Whether components begin behind blanks, so that all their lines would count as folded ones (RFC 5545 3.1). */
export function isIndented(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, HEAD);
  return BEGIN.test(head) && !FLUSH.test(head);
}

/**
 * The lines of a component are indented as its first one is. A line with more blanks is a folded one, and keeps those
 * that it has more.
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

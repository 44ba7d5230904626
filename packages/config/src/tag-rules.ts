/** Rules between the keys of `tag`. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

/** Each element of the block holds one thing. */
export function tagRules(tag: Config['tag']): Finding[] {
  const taken = new Map<number, string>();
  return (['element', 'accession', 'time'] as const).flatMap((key) => {
    const digits = tag[key];
    if (digits === undefined) return [];
    const number = Number.parseInt(digits, 16);
    const other = taken.get(number);
    taken.set(number, key);
    if (other === undefined) return [];
    const message = `element ${digits} holds the tag's ${other === 'element' ? 'value' : other} already; choose another`;
    return [{ path: ['tag', key], message }];
  });
}

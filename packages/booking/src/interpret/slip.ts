/** One wrong or superfluous character: `3010000,01`, `sub:001`. */
import { groupsOf, type LabelName } from './groups.ts';
import { quoted } from './quote.ts';
import type { BookingRules } from './rules.ts';

/** What may have been meant by a mark; nothing where the mark does not belong there. */
const MEANT = ['.', '-', '_', ''];

/** Which mark of a word keeps it from being a label, as the end of a sentence; empty where none does. */
export function slipIn(
  words: readonly string[],
  names: readonly LabelName[],
  { patterns }: Pick<BookingRules, 'patterns'>,
): string {
  const groups = names.flatMap((name) => groupsOf(patterns).get(name) ?? []);
  const takes = (text: string): boolean => groups.some(({ whole }) => whole.exec(text) !== null);
  for (const word of words) {
    if (quoted(word) === undefined) continue;
    for (const { 0: mark, index } of word.matchAll(/[^\p{L}\p{N}]/gu)) {
      const meant = MEANT.find((one) => takes(word.slice(0, index) + one + word.slice(index + mark.length)));
      if (meant === undefined) continue;
      return `: the “${mark}” of “${word}” ${meant === '' ? 'does not belong there' : `should be “${meant}”`}`;
    }
  }
  return '';
}

/** A title that no pattern reads, as a person reads it: without what stands around and between its labels. */
import { plainText } from './html.ts';

const PREFIX =
  /^(?:(?:re|aw|antw|sv|vs|fwd?|wg|tr|rv|copy|kopie|copie|kopia|copia)\s*:|copy of\b|kopie van\b|kopie von\b|\[[^\]]*\]|\([^()]*\))\s*/iu;
const MOST_PREFIXES = 5;

/** Each is tried only where none before it is read, so nothing that was ever read is read otherwise. */
export function* tidied(title: string): Generator<string> {
  const single = plainText(title).replaceAll(/\s+/gu, ' ').trim();
  yield single;
  const bare = withoutPrefixes(single.replaceAll(/["“”„«»*`]|^['‘’]|['‘’]$/gu, '').trim());
  yield bare;
  const blanks = bare.replaceAll(/\s*[,;|]\s*|\s+[-/+]\s+/gu, ' ').trim();
  yield blanks;
  yield blanks.replaceAll(/(?<![\p{L}\p{N}])\p{Lu}\p{L}{1,4}(?=[-_]?\d|-)/gu, (word) => word.toLowerCase());
}

function withoutPrefixes(title: string): string {
  let rest = title;
  for (let turn = 0; turn < MOST_PREFIXES; turn += 1) {
    const next = rest.replace(PREFIX, '');
    if (next === rest) break;
    rest = next;
  }
  return rest;
}

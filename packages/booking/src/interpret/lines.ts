/** Lines such as `Subject: sub-001` of a description, as people and their programs write them. */
import { plainText } from './html.ts';
import { cleanText } from './text.ts';

export interface Line<Name> {
  readonly name: Name;
  readonly value: string;
  /** What 0.1.0 took, where it is something else. */
  readonly former?: string;
}

/** Longest piece of a line that is looked at. */
const LONGEST = 2000;
/** A bullet, a number, marks of quotation and of bold type, before the key of a line. */
const MARKER = /^(?:[*•>#-]+|\(?\d{1,2}[.)])\s*/u;
const MAIL = /^(?:from|sent|to|date|cc|van|aan|verzonden|datum|von|gesendet|an|de|envoy[ée]|[àa])\s*:/iu;
const REPLY = /^(?:re|fwd?|aw|wg|antw|tr|rv|sv|vs|doorst)\s*:/iu;
/** Lines of a mail's head stand together. */
const HEAD = 3;

/** `names`: labels by their words in lower case. */
export function readLines<Name>(description: string, names: ReadonlyMap<string, Name>): Line<Name>[] {
  if (description === '') return [];
  const isHtml = /<\/?[a-z][^<>]*>/iu.test(description);
  const lines = cleanText(plainText(description))
    .split('\n')
    .map((line) => line.slice(0, LONGEST).trim());
  return lines.flatMap((line, index) => {
    const found = valuesOf(line, names);
    const [only] = found;
    if (found.length === 1 && only?.value === '' && isHtml) {
      // in HTML a line may end anywhere
      const next = lines[index + 1] ?? '';
      return /^\S*\d\S*$/u.test(next) && valuesOf(next, names).length === 0 ? [{ ...only, value: next }] : [];
    }
    return found.filter(({ value }) => value !== '' && !isOfMail(line, value, lines, index));
  });
}

/** `Subject:` in the head of a mail that somebody pasted is no subject of a study. */
function isOfMail(line: string, value: string, lines: readonly string[], index: number): boolean {
  if (!/^(?:subject|onderwerp|betreff|objet)\s*:/iu.test(line)) return false;
  if (REPLY.test(value)) return true;
  const around = lines.slice(Math.max(0, index - HEAD), index + HEAD + 1);
  return around.filter((one) => MAIL.test(one)).length > 1;
}

function valuesOf<Name>(line: string, names: ReadonlyMap<string, Name>): Line<Name>[] {
  const bare = line.replace(MARKER, '').replace(MARKER, '');
  const first = keyAt(bare, 0, names);
  if (first === undefined) return [];
  const keys = [first];
  for (const { index } of bare.matchAll(/(?<=[\s,;|/–-]\**)(?=\p{L})/gu)) {
    if (index < (keys.at(-1)?.to ?? 0)) continue;
    const key = keyAt(bare, index, names);
    if (key !== undefined) keys.push(key);
  }
  return keys.map(({ name, to }, index) => {
    const next = keys[index + 1];
    const typed = bare.slice(to, next?.from).trim();
    const value = bareValue(next === undefined ? typed : typed.replace(/[\s,;|/*-]+$/u, ''));
    return { name, value, ...(value === typed ? {} : { former: typed }) };
  });
}

interface Key<Name> {
  readonly name: Name;
  readonly from: number;
  readonly to: number;
}

/** The longest key that begins here, with its colon. */
function keyAt<Name>(line: string, from: number, names: ReadonlyMap<string, Name>): Key<Name> | undefined {
  const rest = line.slice(from, from + 100);
  const cut = rest.search(/[:=]/u);
  if (cut < 0) return undefined;
  const name = names.get(
    rest
      .slice(0, cut)
      .replace(/[*_]+\s*$/u, '')
      .trim()
      .toLowerCase(),
  );
  if (name === undefined) return undefined;
  const after = /^[:=]\**\s*/u.exec(rest.slice(cut))?.[0].length ?? 1;
  return { name, from, to: from + cut + after };
}

/** Without quotes, bold type, a comment in brackets, and marks that end a sentence. */
const bareValue = (value: string): string =>
  value
    .replace(/\s+\([^()]*\)[.,;]?$/u, '')
    .replace(/[.,;]+$/u, '')
    .replace(/^["'“”‘’*`]+|["'“”‘’*`]+$/gu, '')
    .replace(/[.,;]+$/u, '')
    .trim();

/** Lines such as `Subject: sub-001` of a description, as people and their programs write them. */
import { plainText } from './html.ts';
import { cleanText } from './text.ts';

export interface Line<Name> {
  readonly name: Name;
  readonly value: string;
  /** Without a comment behind it, where it has one: `sub-001 (left-handed)`. */
  readonly uncommented?: string;
  /** What 0.1.0 took, where it is something else. */
  readonly former?: string;
  /** Not in the form of a line, so that it counts only where nothing else names the label. */
  readonly weak?: true;
}

type Names<Name> = ReadonlyMap<string, Name>;

/** Longest piece of a line that is looked at. */
const LONGEST = 2000;
/** A bullet, a box, a number, marks of quotation and of bold type, before the key of a line. */
const MARKER =
  /^(?:[*•·◦‣▪●○■□☐☑✓✔>#|+"'“„‘«`_{-]+|\(?(?:\d{1,2}|[a-z])[.)](?=\s)|\[[ x]?\]|\p{Extended_Pictographic}\ufe0f?)\s*/iu;
const MOST_MARKERS = 3;
const MAIL =
  /^(?:from|sent|to|date|cc|van|aan|verzonden|datum|von|gesendet|an|de|envoy[ée]|[àa]|fra|til|sendt|från|till|skickat|para|enviado|fecha|da|inviato|data|od|do|wys[łl]ano|komu|odesl[áa]no)\s*:/iu;
const REPLY = /^(?:re|fwd?|aw|wg|antw|tr|rv|sv|vs|vb|odp|pd|doorst)(?:\[\d+\])?\s*:/iu;
/** Words of lines with which a mail's head also names its subject. */
const MAIL_SUBJECT =
  /^\W*(?:subject|onderwerp|betreff|objet|sujet|asunto|oggetto|emne|[äa]mne|temat|p[řr]edm[ěe]t)\W*:/iu;
/** Lines of a mail's head stand together. */
const HEAD = 3;
/** One word with a digit, as codes are. */
const CODE = /^(?=.*\p{N})[\p{L}\p{N}][\p{L}\p{N}._+-]*$/u;

/** `names`: labels by their words in lower case. */
export function readLines<Name>(description: string, names: Names<Name>): Line<Name>[] {
  if (description === '') return [];
  const isHtml = /<\/?[a-z][^<>]*>/iu.test(description);
  const lines = cleanText(plainText(description))
    .split('\n')
    .map((line) => line.slice(0, LONGEST).trim());
  return lines.flatMap((line, index) => {
    const found = valuesOf(line, names);
    const [only] = found;
    if (found.length === 1 && only?.value === '') {
      const next = nextValue(lines, index, names);
      if (next === undefined) return [];
      // in HTML a line may end anywhere
      return [isHtml ? { ...only, value: next } : { ...only, value: next, weak: true as const }];
    }
    return found.filter(({ value }) => value !== '' && !isOfMail(line, value, lines, index));
  });
}

/** The code on the line below a key that stands alone. */
function nextValue<Name>(lines: readonly string[], index: number, names: Names<Name>): string | undefined {
  const next = lines.slice(index + 1).find((line) => line !== '') ?? '';
  return (CODE.test(next) || /^\p{L}\S*\?$/u.test(next)) && valuesOf(next, names).length === 0
    ? next
    : undefined;
}

/** `Subject:` in the head of a mail that somebody pasted is no subject of a study, but for a code. */
function isOfMail(line: string, value: string, lines: readonly string[], index: number): boolean {
  if (!MAIL_SUBJECT.test(line)) return false;
  if (REPLY.test(value)) return true;
  const around = lines.slice(Math.max(0, index - HEAD), index + HEAD + 1);
  return !CODE.test(value) && around.filter((one) => MAIL.test(one.replace(/^[\s>*_]+/u, ''))).length > 1;
}

function valuesOf<Name>(line: string, names: Names<Name>): Line<Name>[] {
  const bare = withoutMarkers(line);
  const first = keyAt(bare, 0, names);
  if (first === undefined) return inside(bare, names) ?? apart(bare, names);
  return valuesAfter(bare, [first, ...keysFrom(bare, first.to, names)]);
}

function withoutMarkers(line: string): string {
  let rest = line;
  for (let turn = 0; turn < MOST_MARKERS; turn += 1) rest = rest.replace(MARKER, '');
  return rest.replace(/\s*[|}]+$/u, '');
}

interface Key<Name> {
  readonly name: Name;
  readonly from: number;
  readonly to: number;
}

/** Keys after the first one, each behind a mark that divides. */
function keysFrom<Name>(line: string, from: number, names: Names<Name>): Key<Name>[] {
  const keys: Key<Name>[] = [];
  for (const { index } of line.matchAll(/(?<=[\s,;|/([–-][*_"'“]*)(?=\p{L})/gu)) {
    if (index < (keys.at(-1)?.to ?? from)) continue;
    const key = keyAt(line, index, names);
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

function valuesAfter<Name>(line: string, keys: readonly Key<Name>[]): Line<Name>[] {
  return keys.map(({ name, to }, index) => {
    const next = keys[index + 1];
    const typed = line.slice(to, next?.from).trim();
    const value = bareValue(next === undefined ? typed : typed.replace(/[\s,;|/*_(["'“„-]+$/u, ''));
    const uncommented = withoutComment(value);
    return {
      name,
      value,
      ...(uncommented === value ? {} : { uncommented }),
      ...(value === typed ? {} : { former: typed }),
    };
  });
}

/** `MRI scan – Project: 3010000.01, Subject: sub-001`: several keys behind other words. */
function inside<Name>(line: string, names: Names<Name>): Line<Name>[] | undefined {
  const keys = keysFrom(line, 0, names);
  if (keys.length < 2) return undefined;
  return valuesAfter(line, keys).map((one) => ({ ...one, weak: true }));
}

/** `Subject – sub-001`, `Subject sub-001`, with nothing else on the line. */
function apart<Name>(line: string, names: Names<Name>): Line<Name>[] {
  const { key, value } =
    /^(?<key>\p{L}[^:=]{0,60}?)(?:\s*(?:[-=]+>|→|\|)|\s+-)?\s+(?<value>\S+)$/u.exec(line)?.groups ?? {};
  const name = names.get((key ?? '').trim().toLowerCase());
  const code = bareValue(value ?? '');
  return name === undefined || !CODE.test(code) ? [] : [{ name, value: code, weak: true }];
}

/** The key that begins here, with its colon. */
function keyAt<Name>(line: string, from: number, names: Names<Name>): Key<Name> | undefined {
  const rest = line.slice(from, from + 100);
  const cut = rest.search(/[:=]/u);
  if (cut < 0) return undefined;
  const word = rest.slice(0, cut).trim().toLowerCase();
  const name = names.get(word) ?? names.get(word.replace(/[^\p{L}\p{N})]+$/u, ''));
  if (name === undefined) return undefined;
  const after = /^[:=]>?[*_"'”]*\s*/u.exec(rest.slice(cut))?.[0].length ?? 1;
  return { name, from, to: from + cut + after };
}

const QUOTES = '"\'“”„‘’‚«»‹›*`';
const QUOTED = new RegExp(`^[${QUOTES}]+|[${QUOTES}]+$`, 'gu');

/** Without quotes, bold type, marks that end a sentence, and a bracket that was opened before. */
function bareValue(value: string): string {
  const ended = value
    .replace(/[.,;]+$/u, '')
    .replace(QUOTED, '')
    .replace(/^(?<mark>_{1,2})(?<text>.+)\k<mark>$/u, '$<text>')
    .replace(/[.,;]+$/u, '')
    .trim();
  return ended.includes('(') ? ended : ended.replace(/[)\]]+$/u, '');
}

/** `sub-001 (left-handed)`, `sub-001, left-handed`: one code, and words without digits behind it. */
function withoutComment(value: string): string {
  const { code = '' } =
    /^(?<code>\S+?)\s*(?:\s[([][^()[\]\d]*[)\]]|\s[-/#]+\s[^\d]*|[,;]\s[^\d]*)$/u.exec(value)?.groups ?? {};
  return CODE.test(code) ? code : value;
}

/** Lines such as `Subject: sub-001` of a description, as people and their programs write them. */
import { plainText, cleanText } from './text.ts';

export interface Line<Name> {
  readonly name: Name;
  readonly value: string;
  /** Without a comment behind it, where it has one: `sub-001 (left-handed)`. */
  readonly uncommented?: string;
  /** What 0.1.0 took, where it is something else. */
  readonly former?: string;
  /** Not in the form of a line, so that it counts only where nothing else names the label. */
  readonly weak?: true;
  /** Taken from running text, so that it counts only where the facility's patterns know such a label. */
  readonly loose?: true;
}

type Names<Name> = ReadonlyMap<string, Name>;

/** Longest piece of a line that is looked at. */
const LONGEST = 2000;
/** A bullet, a box, a number, marks of quotation and of bold type, before the key of a line. */
const MARKER =
  /^(?:[*•·◦‣▪●○■□☐☑✓✔>#|+"'“„‘«`_{-]+|\(?(?:\d{1,2}|[a-z])[.)](?=\s)|\[[ x]?\]|\p{Extended_Pictographic}\ufe0f?)\s*/iu;
/** Rarer ones: `~`, `➤`, `1 -`, `ii.`, `Q1.`, and a bracket around the key. */
const OTHER_MARKER = /^(?:[»›→~[<(]+|\(?(?:q?\d{1,2}|[a-z]|[ivx]{1,4})\s?[.):-](?=\s)|\p{So}\ufe0f?)\s*/iu;
const MOST_MARKERS = 3;
const MAIL =
  /^(?:from|sent|to|date|cc|van|aan|verzonden|datum|von|gesendet|an|de|envoy[ée]|[àa]|fra|til|sendt|från|till|skickat|para|enviado|fecha|da|inviato|data|od|do|wys[łl]ano|komu|odesl[áa]no)\s*:/iu;
const REPLY =
  /^(?:re|fwd?|aw|wg|antw|tr|rv|sv|vs|vb|odp|pd|doorst|(?:\p{L}+ )?(?:invitation|invite|uitnodiging|einladung|invitasjon|inbjudan|invitación|invito|zaproszenie|pozvánka)|accepted|declined|geaccepteerd|zugesagt|abgesagt|angenommen|accepté|accepteret|accepterad|aceptad[oa]|accettat[oa]|zaakceptowano|přijato)(?:\[\d+\])?\s*:/iu;
/** Words of lines with which a mail's head also names its subject. */
const MAIL_SUBJECT =
  /^\W*(?:subject|onderwerp|betreff|objet|sujet|asunto|oggetto|emne|[äa]mne|temat|p[řr]edm[ěe]t)\W*:/iu;
/** A time of the day, and words that send the reader elsewhere: neither is a label. */
const NO_VALUE =
  /^(?:\d{1,2}:\d{2}(?:\s*-\s*\d{1,2}:\d{2})?|(?:see|zie|siehe|voir|se|ver|vedi|zob\.?|viz) (?:the |de |den |die |le |el |il )?(?:title|titel|titre|título|titolo|tytuł|název|above|boven|oben|ovenfor|ovan|arriba|sopra|wyżej|výše))[.!]?$/iu;
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
    return found.filter(
      ({ value }) => value !== '' && !NO_VALUE.test(value) && !isOfMail(line, value, lines, index),
    );
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
  return (
    begun(bare, names) ??
    inside(bare, names) ??
    apart(bare, names) ??
    begun(withoutMarkers(bare, OTHER_MARKER), names)?.map((one) => ({ ...one, weak: true as const })) ??
    running(bare, names)
  );
}

/** The values of a line that begins with a key. */
function begun<Name>(line: string, names: Names<Name>): Line<Name>[] | undefined {
  const first = keyAt(line, 0, names);
  return first && valuesAfter(line, [first, ...keysFrom(line, first.to, names)]);
}

function withoutMarkers(line: string, marker = MARKER): string {
  let rest = line;
  for (let turn = 0; turn < MOST_MARKERS; turn += 1) rest = rest.replace(marker, '');
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
  for (const { index } of line.matchAll(
    /(?<=[\s,;|/\\([–•·→&-][*_"'“]*)(?=\p{L})|(?<=\p{N})(?=\p{Lu}\p{Ll})/gu,
  )) {
    if (index < (keys.at(-1)?.to ?? from)) continue;
    const key = keyAt(line, index, names);
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

/** What stands between a value and the next key of the line. */
const BETWEEN = /(?:[\s,;|/\\*_(["'“„•·◦→>&+-]|\s(?:and|en|und|et|og|och)(?=\s*$))+$/iu;

function valuesAfter<Name>(line: string, keys: readonly Key<Name>[]): Line<Name>[] {
  return keys.map(({ name, to }, index) => {
    const next = keys[index + 1];
    const typed = line.slice(to, next?.from).trim();
    const value = bareValue(next === undefined ? typed : typed.replace(BETWEEN, ''));
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
function apart<Name>(line: string, names: Names<Name>): Line<Name>[] | undefined {
  const { key, value } =
    /^(?<key>\p{L}[^:=]{0,60}?)(?:\s*(?:[-=]+>|→|\|)|\s+-)?\s+(?<value>\S+)$/u.exec(line)?.groups ?? {};
  const name = names.get((key ?? '').trim().toLowerCase());
  const code = bareValue(value ?? '');
  return name === undefined || !CODE.test(code) ? undefined : [{ name, value: code, weak: true }];
}

/** `Projectnummer`, `Subject (required)`, `Sitzung Nr.`, and the marks up to a code. */
const TO_CODE =
  /^(?:\p{L}{0,12}|[*:_/]?\p{L}{0,12})(?:[\s-]*(?:id|is|[nč]r?[.°º]|n[ro]|no\.|num\p{L}+|code|k[oó]de?|č[ií]slo|\([^()\d]*\)))?[\s.:=,;|?*)\]}_/>→-]{1,12}(?:is\s+)?[#"'“(<[*_]*(?<code>[\p{L}\p{N}](?:[\p{L}\p{N}._+-]*[\p{L}\p{N}])?)/iu;
/** `N° de`, `Código de`, `Nr` before the first key. */
const TO_KEY = /^(?:n[°ºr]?\.?|nr\.?|č\.|code|código|codice|kod|numer\p{L}?)(?:\s+d[eiu]l?)?\s+$|^[[({<]?$/iu;

/** `Project no. 3010000.01 / Subject no. sub-001`: words and codes, on a line of their own or several in a text. */
function running<Name>(line: string, names: Names<Name>): Line<Name>[] {
  const found: { readonly from: number; readonly one: Line<Name> }[] = [];
  const lower = line.toLowerCase();
  for (const { index } of line.matchAll(/(?<![\p{L}\p{N}])\p{L}/gu)) {
    const word = [...names.keys()]
      .filter((name) => lower.startsWith(name, index))
      .reduce((longest, name) => (name.length > longest.length ? name : longest), '');
    const name = names.get(word);
    const { code } = TO_CODE.exec(line.slice(index + word.length))?.groups ?? {};
    if (name === undefined || code === undefined || !CODE.test(code)) continue;
    found.push({ from: index, one: { name, value: code, weak: true, loose: true } });
  }
  const [first] = found;
  const isOwn = first !== undefined && TO_KEY.test(line.slice(0, first.from));
  return isOwn || found.length > 1 ? found.map(({ one }) => one) : [];
}

/** The key that begins here, with its colon. */
function keyAt<Name>(line: string, from: number, names: Names<Name>): Key<Name> | undefined {
  const rest = line.slice(from, from + 100);
  // `Proband:in` is one word
  const cut = rest.search(/[:=](?!in(?:nen)?\s*[:=])/u);
  if (cut < 0) return undefined;
  const word = rest.slice(0, cut).trim().toLowerCase();
  const bare = word.replace(/[^\p{L}\p{N})]+$/u, '');
  const name = names.get(word) ?? names.get(bare) ?? names.get(bare.replace(/(?::in(?:nen)?|\))$/u, ''));
  if (name === undefined) return undefined;
  const after = /^[:=]>?[*_"'”]*\s*/u.exec(rest.slice(cut))?.[0].length ?? 1;
  return { name, from, to: from + cut + after };
}

const QUOTES = '"\'“”„‘’‚«»‹›*`';
const QUOTED = new RegExp(`^[${QUOTES}]+|[${QUOTES}]+$`, 'gu');

/** A value in brackets, or behind a mark of its own: `[sub-001]`, `#sub-001`, `- sub-001`. */
const WRAPPED =
  /^(?:[#>~→]\s*|-\s+)?(?:\[(?<a>[^[\]]+)\]|\((?<b>[^()]+)\)|<(?<c>[^<>]+)>)$|^(?:[#>~→]\s*|-\s+)/u;

/** Without quotes, bold type, brackets, marks that end a sentence, and a bracket that was opened before. */
function bareValue(value: string): string {
  const ended = value
    .trim()
    .replace(WRAPPED, (_, a: string = '', b: string = '', c: string = '') => a + b + c)
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

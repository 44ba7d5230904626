/** A title that no pattern reads, as a person reads it: without what stands around and between its labels. */
import { plainText } from './html.ts';

/** `RE:` and `Copy of`, as calendars and mail programs of many languages put them in front. */
const COPIED =
  /^(?:(?:re|aw|antw|sv|vs|fwd?|wg|tr|rv|vb|res|enc|odp|pd|rif|doorst|i|r|réf?)(?:\[\d+\])?\s*:|copy (?:\(\d+\) )?of\b|kopie (?:van|von)\b|copie de\b|kopi[ea]? (?:av|af)\b|copia (?:de|di)\b|kopia )\s*/iu;
/** What calendars and people put in front of a booking that stands: `Accepted:`, `Bestätigt -`, `URGENT!`. */
const SAID = new RegExp(
  '^(?:copy|kopie|copie|kopia|kopi|copia|kópia|(?:updated? )?(?:invitation|invite|uitnodiging|einladung|invitasjon|inbjudan|invitación|invito|zaproszenie|pozvánka)|' +
    'updated?|bijgewerkt|gewijzigd|aktualisiert|geändert|mise? à jour|opdateret|oppdatert|uppdaterad|actualizad[oa]|aggiornat[oa]|zaktualizowan[oey]|aktualizováno|' +
    'new|nieuw|neu|nouveau|ny|nytt|nuev[oa]|nuov[oa]|now[yea]|nov[éýá]|' +
    'accepted|geaccepteerd|zugesagt|angenommen|accepté|accepteret|akseptert|accepterad|aceptad[oa]|accettat[oa]|zaakceptowan[oey]|přijato|' +
    'confirmed|bevestigd|bestätigt|confirmé|bekræftet|bekreftet|bekräftad|confirmad[oa]|confermat[oa]|potwierdzon[oey]|potvrzeno|' +
    'urgent|important|belangrijk|spoed|wichtig|dringend|vigtigt?|viktigt?|urgente|importante|ważne|pilne|důležité)(?:\\s*(?:[:!|]|-\\s)[\\s!:]*|\\s+)',
  'iu',
);
/** What is said of every booking alike. */
const NEUTRAL =
  /^(?:(?:f?mri|mr|mrt|irm|rmn?|pet|meg|eeg|ct|us|scan(?:ner)?|slot|[137]\s?t|messung|meting|booking|boeking|buchung|réservation|reserva|bokning|prenotazione|rezerwacja|rezervace)(?:\s*[-:|]|\s)|(?:subject|onderwerp|betreff|objet|asunto|oggetto|emne|[äa]mne|temat|p[řr]edm[ěe]t)\s*:)\s*/iu;
/** `1.`, `2)`, and a time of the day. */
const NUMBERED = /^(?:\d{1,2}[.)]|\d{1,2}[:.h]\d{2}(?:\s?-\s?\d{1,2}[:.h]\d{2})?:?)\s+/u;
/** `[Prisma]`, but not `[option]`: what is not sure is not booked. */
const BRACKETED =
  /^(?!.\s*(?:\?|tent|opti|hold|reserv|wait|wacht|wart|voorl|vorl|provis|prelim|backup|pilot|test|old|was))(?:\[[^\]]*\]|\([^()]*\)|\{[^{}]*\}|【[^】]*】)\s*/iu;
const MOST_PREFIXES = 6;

/** Struck out, or crossed out with an emoji. */
const CROSSED = /~~|❌|✖|✗|✘|🚫|⛔|❎/u;
/** What divides words, in any script. Of the marks a label may hold `. _ - + #` and others, `/` only between labels. */
const DIVIDES =
  /(?:_{2,}|\u200d|\ufe0f|[\s,;:|/\\()[\]{}<>"'`*…•·◦‣、。，；\u2190-\u21ff\u27f0-\u27ff\p{Pi}\p{Pf}\p{Ps}\p{Pe}\p{So}\p{Extended_Pictographic}])+/gu;
const EDGES = /^[._+\-#!=&~]+|[._+\-#!=&~]+$/gu;
const AND = /^(?:and|en|und|et|og|och)$/iu;
/** Capitals in front of a label: `SUB-001`, `Ses_2`, but not those after its hyphen. */
const CAPITALS = /(?<![\p{L}\p{N}-])\p{Lu}\p{L}{1,4}(?=[-_]?\d|-)/gu;

export interface Tidied {
  readonly text: string;
  /** Marks between words are gone, so that bare numbers may have come together by chance. */
  readonly bare: boolean;
}

/**
 * Each is tried only where none before it is read, so nothing that was ever read is read otherwise. `neutral`: words
 * that say nothing by themselves, such as names of scanners and the words of lines.
 */
export function* tidied(title: string, neutral: readonly string[] = []): Generator<Tidied> {
  const single = singleLine(title);
  yield { text: single, bare: false };
  const unquoted = single.replaceAll(/["“”„«»*`]|^['‘’]|['‘’]$/gu, '').trim();
  const own = withoutPrefixes(unquoted, neutral);
  yield { text: own, bare: false };
  yield { text: lowered(own), bare: false };
  if (CROSSED.test(own)) return;
  // what stands in brackets may be a label
  for (const text of [unquoted, own]) {
    const bare = withoutPrefixes(text.replace(NOISE, ''), neutral, text === own ? ALL : NO_BRACKETS);
    const words = wordsOf(bare, neutral);
    yield { text: words, bare: true };
    yield { text: lowered(words), bare: true };
  }
}

/** Bullets, emoji and the like in front. */
const NOISE = /^[^\p{L}\p{N}?([{【]+/u;
const NO_BRACKETS = [COPIED, SAID, NEUTRAL, NUMBERED];
const ALL = [...NO_BRACKETS, BRACKETED];

function wordsOf(text: string, neutral: readonly string[]): string {
  const silent = new Set(neutral.map((word) => word.toLowerCase()));
  return text
    .split(DIVIDES)
    .map((word) => word.replaceAll(EDGES, ''))
    .filter((word) => word !== '' && !AND.test(word) && !silent.has(word.toLowerCase()))
    .join(' ');
}

/** Without tags, entities, wide forms and blanks in a row. */
export const singleLine = (title: string): string =>
  plainText(title)
    .replaceAll(/[\uff01-\uff5e]/gu, (wide) => String.fromCodePoint((wide.codePointAt(0) ?? 0) - 0xfee0))
    .replaceAll(/\s+/gu, ' ')
    .trim();

/** `SUB-001` as `sub-001`; what follows its hyphen stays as it is. */
export const lowered = (text: string): string => text.replaceAll(CAPITALS, (word) => word.toLowerCase());

function withoutPrefixes(
  title: string,
  neutral: readonly string[],
  prefixes: readonly RegExp[] = ALL,
): string {
  let rest = title;
  for (let turn = 0; turn < MOST_PREFIXES; turn += 1) {
    const next = prefixes.reduce((text, prefix) => text.replace(prefix, ''), rest);
    const named = withoutName(next, neutral);
    if (named === rest) break;
    rest = named;
  }
  return rest;
}

function withoutName(title: string, names: readonly string[]): string {
  const lower = title.toLowerCase();
  const name = names.find((one) => lower.startsWith(one.toLowerCase()));
  const rest = title.slice(name?.length ?? 0);
  return name === undefined
    ? title
    : (/^(?:\s*[-:|]|\s)\s*(?<rest>.*)$/su.exec(rest)?.groups?.['rest'] ?? title);
}

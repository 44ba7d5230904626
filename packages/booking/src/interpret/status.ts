/** What an event says about itself, whatever its labels: whether it takes place, and on which scanner. */
import { reject, skip, type Verdict } from './outcome.ts';
import type { BookableEvent, BookingRules } from './rules.ts';
import { cleanText } from './text.ts';
import { word, wordSource } from './words.ts';

/** Why an event is no booking by its own account; undefined where it may be one. */
export function statusVerdict(event: BookableEvent, rules: BookingRules): Verdict | undefined {
  if (event.status === 'CANCELLED')
    return skip('CANCELLED', 'The event is cancelled, or its room declined it.');
  if (saysCancelled(cleanText(event.summary)))
    return skip(
      'CANCELLED_TITLE',
      'The title says that the event is cancelled. Delete the event to free the slot.',
    );
  if (event.transparency === 'TRANSPARENT')
    return skip(
      'FREE',
      'The event is shown as free, so it books nothing. If it is a booking, show it as busy.',
    );
  return tentative(event, rules) ?? hidden(event, rules);
}

function tentative(event: BookableEvent, rules: BookingRules): Verdict | undefined {
  if (event.status !== 'TENTATIVE' || rules.tentative === 'take') return undefined;
  const reason =
    'The event is tentative. Confirm it, and it comes to the scanner: the status is then “Confirmed”, in Outlook “Busy”.';
  return rules.tentative === 'skip' ? skip('TENTATIVE', reason) : reject('TENTATIVE_REFUSED', reason);
}

function hidden(event: BookableEvent, rules: BookingRules): Verdict | undefined {
  if (event.class === 'PUBLIC' || rules.private === 'take') return undefined;
  const reason =
    'The event is private. If it is a booking, make it public, and it comes to the scanner: the visibility is then “Public”, in Outlook “Private” is off.';
  return rules.private === 'skip' ? skip('PRIVATE_SKIPPED', reason) : reject('PRIVATE_REFUSED', reason);
}

interface CancelWords {
  /** Say that the event does not take place, wherever they stand. */
  readonly cancelled: string;
  /** Nouns. “Noise cancellation” is a study, so they count only at an end of the title, alone or after a mark. */
  readonly cancellation: string;
  /** Deny the word that follows. */
  readonly not: string;
  /** Say the contrary, and deny what stands elsewhere. */
  readonly takesPlace: string;
  /** Before a word for cancelled in the same clause: it is another slot of which the title speaks. */
  readonly instead: string;
  /** The same directly before it, where a noun follows: `in a cancelled slot`. */
  readonly of: string;
}

/** One row for each language. */
export const CANCEL_WORDS: Readonly<Record<string, CancelWords>> = {
  en: {
    cancelled:
      "cancell?ed|cxld?|called off|(?:will )?not take place|won['’]t take place|did not take place|not needed any ?more|" +
      "withdrawn|dropped out|(?:did not|didn['’]t) (?:show(?: up)?|turn up|come)",
    cancellation: 'cancell?ation|no[- ]?show|declined',
    not: "not|never|no longer|\\p{L}+n['’]t|un|previously|formerly|wrongly|if|unless",
    takesPlace: '(?:back )?on again|back on|reinstated|un-?cancell?ed',
    instead:
      'replac(?:es?|ed|ing|ement)|instead|in place|in lieu|us(?:es|ing)|fill(?:s|ing|-in)?|tak(?:es|ing)|resched\\p{L}+|make-?up|swap\\p{L}*',
    of: '(?:in|into|on|of|after|from|for)(?: an?| the| this)?',
  },
  nl: {
    cancelled:
      'afgezegd|geannuleerd|gecancell?ed|gecanceld|afgelast|vervallen|vervalt|afgemeld|(?:gaat|ging) (?:\\p{L}+ )?niet door|niet doorgegaan|' +
      'niet komen opdagen|niet verschenen',
    cancellation: 'annulering|afzegging|geweigerd|afgewezen',
    not: 'niet|nooit|tenzij|indien|als',
    takesPlace: 'gaat (?:toch|wel|weer|alsnog|gewoon) door|vervalt (?:\\p{L}+ )?niet',
    instead:
      'vervang(?:t|en|end|ing)|in plaats|i\\.?p\\.?v\\.?|inhaal\\p{L}*|op de (?:plek|plaats)|neemt|gebruikt|vult',
    of: '(?:van|na|voor|op|in)(?: de| het| een)?',
  },
  de: {
    cancelled:
      'abgesagt|storniert|gecancelt|ausgefallen|gestrichen|entf[äa]e?llt|f[äa]e?llt (?:leider )?aus|findet (?:leider )?nicht statt|nicht erschienen',
    cancellation: 'absage|stornierung|ausfall|abgelehnt',
    not: 'nicht|nie|falls|wenn|f[äa]e?lschlich',
    takesPlace:
      'findet (?:doch|wieder|trotzdem) statt|doch nicht|entf[äa]e?llt (?:\\p{L}+ )?nicht|f[äa]e?llt nicht aus',
    instead: 'ersetzt|ersatz\\p{L}*|nachhol\\p{L}*|anstelle|an stelle|anstatt|statt|nutzt|[üu]e?bernimmt',
    of: '(?:f[üu]e?r|nach|von|vom|im|in)(?: den| der| dem| die| das| einen| einem| einer)?',
  },
  fr: {
    cancelled:
      "annul[ée]e?s?|supprim[ée]e?s?|n['’]aura pas lieu|n['’]a pas eu lieu|ne s['’]est pas pr[ée]sent[ée]e?",
    cancellation: 'annulation|refus[ée]e?',
    not: 'pas|non|jamais|si|sauf si',
    takesPlace: 'aura (?:bien|finalement) lieu|maintenue?|annul[ée]e?s? repris\\p{L}*',
    instead: 'rempla[cç]\\p{L}*|au lieu|[àa] la place|reprend',
    of: '(?:du|de|des|apr[èe]s|dans|pour|sur)(?: la| le| les| un| une)?',
  },
  da: {
    cancelled: 'aflyst|annulleret|udg[åa]r|bliver ikke til noget|udeblevet|(?:er )?ikke m[øo]e?dt(?: op)?',
    cancellation: 'aflysning|annullering|afvist',
    not: 'ikke|aldrig|hvis',
    takesPlace: 'udg[åa]r ikke|gennemf[øo]res',
    instead: 'erstat(?:ter|ning)|i stedet|istedet',
    of: '(?:i|for|efter|p[åa])(?: en| et| den| det)?',
  },
  nb: {
    cancelled:
      'avlyst|kansellert|annullert|avbestilt|utg[åa]r|blir ikke noe av|m[øo]tte ikke(?: opp)?|ikke m[øo]tt(?: opp)?',
    cancellation: 'avlysning|kansellering|avsl[åa]tt',
    not: 'ikke|aldri|hvis',
    takesPlace: 'utg[åa]r ikke|gjennomf[øo]res',
    instead: 'erstat(?:ter|ning)|i stedet|istedet',
    of: '(?:i|for|etter|p[åa])(?: en| et| den| det)?',
  },
  sv: {
    cancelled: 'inst[äa]lld|inst[äa]llt|avbokade?s?|avbokat|avbokad|utg[åa]r|blir inte av|uteblev|uteblivit',
    cancellation: 'avbokning|avb[öo]jt|avvisad',
    not: 'inte|ej|aldrig|om',
    takesPlace: 'utg[åa]r inte|blir av [äa]nd[åa]',
    instead: 'ers[äa]tt(?:er|ning)|ist[äa]llet|i st[äa]llet',
    of: '(?:i|f[öo]r|efter|p[åa])(?: en| ett| den| det)?',
  },
  es: {
    cancelled:
      'cancelad[oa]s?|se cancela|anulad[oa]s?|suspendid[oa]s?|no se (?:realiza|realizar[áa]|present[óo])',
    cancellation: 'cancelaci[óo]n|anulaci[óo]n|rechazad[oa]',
    not: 'no|nunca|si',
    takesPlace: 's[íi] se realiza|se mantiene',
    instead: 'reemplaz\\p{L}*|sustitu\\p{L}*|en lugar|en vez',
    of: '(?:en|de|del|por|tras|para)(?: el| la| un| una)?',
  },
  it: {
    cancelled:
      'annullat[oaie]|cancellat[oaie]|disdett[oaie]|non si (?:svolge|fa|terr[àa])|non avr[àa] luogo|non si [èe] presentat[oa]',
    cancellation: 'annullamento|cancellazione|disdetta|rifiutat[oa]',
    not: 'non|mai|se',
    takesPlace: 'si fa comunque|confermat[oa]',
    instead: 'sostitu\\p{L}*|al posto|invece',
    of: '(?:in|nel|nello|nella|di|del|dello|della|per|dopo)(?: un| uno| una)?',
  },
  pl: {
    cancelled:
      'odwo[łl]an(?:[yaeio]|ego|ej|ym)|anulowan(?:[yaeo]|ego|ej|ym)|nie odb[ęe]dzie si[ęe]|nie przysz(?:ed[łl]|[łl]a)|nie stawi[łl]a? si[ęe]',
    cancellation: 'odwo[łl]anie|anulowanie|odrzucon[eoay]',
    not: 'nie|nigdy|je[śs]li',
    takesPlace: 'jednak si[ęe] odb[ęe]dzie',
    instead: 'zast[ęe]p\\p{L}*|zamiast|w miejsce|w zamian',
    of: '(?:po|za|z|na|w)',
  },
  cs: {
    cancelled:
      'zru[šs]en(?:[oaýyéá]|ého|ém|ou)?|storno(?:v[áa]n[oaýy]?)?|odvol[áa]n[oaýy]?|neuskute[čc]n[íi] se|nekon[áa] se|odpad[áa]|nedostavil[ao]? se',
    cancellation: 'zru[šs]en[íi]|odvol[áa]n[íi]|odm[íi]tnut[oýa]',
    not: 'ne|nen[íi]|nebyl[oa]?|nikdy|pokud',
    takesPlace: 'p[řr]esto se kon[áa]',
    instead: 'nahraz\\p{L}*|n[áa]hrad\\p{L}*|m[íi]sto',
    of: '(?:po|za|ve|v|na)',
  },
};

const LANGUAGES = Object.values(CANCEL_WORDS);
const all = (name: keyof CancelWords): string => LANGUAGES.map((words) => words[name]).join('|');

const CANCELLED = word(all('cancelled'));
/** At the beginning, after a mark, or right after the labels. */
const CANCELLATION = new RegExp(
  `^\\W*(?:${all('cancellation')})(?:\\s*(?:[:;,!/)\\]-].*)?$|(?=\\s+\\p{L}*-?\\d))|` +
    `(?:[-,;:!/(\\[]\\s*|\\d\\S*\\s+)(?:${all('cancellation')})[\\s)\\]!.]*$`,
  'iu',
);
const TAKES_PLACE = word(all('takesPlace'));
/** What may stand between a denial and its word: `not yet cancelled`, `nicht mehr abgesagt`. */
const YET =
  '(?:\\s+(?:yet|been|be|actually|really|mehr|doch|meer|encore|[ée]t[ée]|l[äa]ngre|lenger|l[æa]engere|m[áa]s|est[áa]|ha sido|fue|' +
  'pi[ùu]|[èe](?: stat[oa])?|sido|jest|zosta[łl]\\p{L}*|bylo|worden|blevet|blitt|blivit))?';
const WORDS_BETWEEN = "(?:\\s+[\\p{L}\\p{N}'’.-]+){0,5}?";

/** `not cancelled`, `replaces a cancelled slot` and `in a cancelled slot`, each in the words of one language. */
const OF_ANOTHER = new RegExp(
  LANGUAGES.map(
    ({ cancelled, not, instead, of }) =>
      `${wordSource(`(?:${not})${YET}[\\s-]+(?:${cancelled})`)}|` +
      `${wordSource(`(?:${instead})${WORDS_BETWEEN}\\s+(?:${cancelled})`)}|` +
      wordSource(`(?:${of})\\s+(?:${cancelled})(?=\\s+\\p{L})`),
  ).join('|'),
  'giu',
);

/** “cancelled” typed into the title, but neither “not cancelled” nor “replaces a cancelled slot”. */
export function saysCancelled(title: string): boolean {
  if (CANCELLATION.test(title)) return true;
  return (
    CANCELLED.test(title) && !TAKES_PLACE.test(title) && CANCELLED.test(title.replaceAll(OF_ANOTHER, ' '))
  );
}

const WORDS = { location: 'location', categories: 'category', resource: 'resource' } as const;

/** The scanner's key, or why there is none. */
export function scannerOf(event: BookableEvent, { scanner: rule }: BookingRules): string | Verdict {
  if ('name' in rule) return rule.name;
  const { by, map, otherwise } = rule;
  const scanners = new Map(Object.entries(map).map(([text, name]) => [fold(text), name]));
  const named = new Set(texts(event, by).flatMap((text) => scanners.get(fold(text)) ?? []));
  const [first, second] = named;
  const example = `such as “${Object.keys(map)[0] ?? ''}”`;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined)
    return reject(
      'SCANNER_AMBIGUOUS',
      `The ${WORDS[by]} names more than one scanner. Make one booking for each, each with one ${WORDS[by]}, ${example}.`,
    );
  if (typeof otherwise === 'object') return otherwise.name;
  if (otherwise === 'skip')
    return skip('OTHER_PLACE', `The ${WORDS[by]} of the event is none of the scanners, so it is no scan.`);
  return reject(
    'SCANNER_UNKNOWN',
    `Which scanner is meant is not clear: the ${WORDS[by]} names none. Choose the ${WORDS[by]} of the scanner, ${example}.`,
  );
}

function texts(event: BookableEvent, by: keyof typeof WORDS): readonly string[] {
  if (by === 'categories') return event.categories ?? [];
  if (by === 'resource') return event.resources ?? [];
  const { location = '' } = event;
  // Outlook writes several rooms with semicolons between them
  return [location, ...location.split(';')];
}

const fold = (text: string): string => cleanText(text).replaceAll(/\s+/gu, ' ').trim().toLowerCase();

/** Words by which titles say what they are, in the languages of the facilities we know. */

const word = (alternatives: string): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])(?:${alternatives})(?![\\p{L}\\p{N}])`, 'iu');

interface CancelWords {
  /** Say that the event does not take place, wherever they stand. */
  readonly cancelled: string;
  /** Nouns. “Noise cancellation” is a study, so they count only at an end of the title, alone or after a mark. */
  readonly cancellation?: string;
  /** Deny the word that follows. */
  readonly not: string;
  /** Before a word for cancelled: it is another slot of which the title speaks. */
  readonly instead: string;
}

/** One row for each language. */
export const CANCEL_WORDS: Readonly<Record<string, CancelWords>> = {
  en: {
    cancelled: "cancell?ed|called off|(?:will )?not take place|won['’]t take place|did not take place",
    cancellation: 'cancell?ation|no[- ]show',
    not: 'not|never|no longer',
    instead: 'replaces|replacing|replacement (?:for|of)|instead of|in place of',
  },
  nl: {
    cancelled: 'afgezegd|geannuleerd|gecanceld|afgelast|vervallen|vervalt|gaat niet door|niet doorgegaan',
    cancellation: 'annulering|afzegging',
    not: 'niet|nooit',
    instead: 'vervangt|vervanging (?:van|voor)|in plaats van|i\\.?p\\.?v\\.?',
  },
  de: {
    cancelled:
      'abgesagt|storniert|gecancelt|ausgefallen|gestrichen|entf[äa]e?llt|f[äa]e?llt aus|findet nicht statt',
    cancellation: 'absage|stornierung|ausfall',
    not: 'nicht|nie',
    instead: 'ersetzt|ersatz f[üu]e?r|anstelle|anstatt|statt',
  },
  fr: {
    cancelled: "annul[ée]e?s?|n['’]aura pas lieu|n['’]a pas eu lieu",
    cancellation: 'annulation',
    not: 'pas|non|jamais',
    instead: 'remplace|remplacement|au lieu|[àa] la place',
  },
  da: {
    cancelled: 'aflyst|annulleret|udg[åa]r|bliver ikke til noget',
    cancellation: 'aflysning|annullering',
    not: 'ikke|aldrig',
    instead: 'erstatter|i stedet for',
  },
  nb: {
    cancelled: 'avlyst|kansellert|annullert|utg[åa]r|blir ikke noe av',
    cancellation: 'avlysning|kansellering',
    not: 'ikke|aldri',
    instead: 'erstatter|i stedet for',
  },
  sv: {
    cancelled: 'inst[äa]lld|inst[äa]llt|avbokade?s?|avbokat|avbokad|utg[åa]r|blir inte av',
    cancellation: 'avbokning',
    not: 'inte|ej|aldrig',
    instead: 'ers[äa]tter|ist[äa]llet f[öo]r',
  },
  es: {
    cancelled: 'cancelad[oa]s?|anulad[oa]s?|suspendid[oa]s?|no se realizar[áa]',
    cancellation: 'cancelaci[óo]n|anulaci[óo]n',
    not: 'no|nunca',
    instead: 'reemplaza|sustituye|en lugar de|en vez de',
  },
  it: {
    cancelled: 'annullat[oaie]|cancellat[oaie]|disdett[oaie]|non si svolge|non avr[àa] luogo',
    cancellation: 'annullamento|cancellazione|disdetta',
    not: 'non|mai',
    instead: 'sostituisce|al posto|invece',
  },
  pl: {
    cancelled: 'odwo[łl]an[yaeio]|anulowan[yaeo]|nie odb[ęe]dzie si[ęe]',
    cancellation: 'odwo[łl]anie|anulowanie',
    not: 'nie|nigdy',
    instead: 'zast[ęe]puje|zamiast|w miejsce',
  },
  cs: {
    cancelled: 'zru[šs]en[oaýyé]?|storno(?:v[áa]no)?|odvol[áa]n[oaýy]?|neuskute[čc]n[íi] se|nekon[áa] se',
    cancellation: 'zru[šs]en[íi]|odvol[áa]n[íi]',
    not: 'ne|nen[íi]|nikdy',
    instead: 'nahrazuje|m[íi]sto',
  },
};

const all = (name: keyof CancelWords): string =>
  Object.values(CANCEL_WORDS)
    .flatMap((words) => words[name] ?? [])
    .join('|');

const CANCELLED = word(all('cancelled'));
const CANCELLATION = new RegExp(
  `^\\W*(?:${all('cancellation')})(?![\\p{L}\\p{N}])|[-,;:!/(\\[]\\s*(?:${all('cancellation')})[\\s)\\]!.]*$`,
  'iu',
);
/** What may stand between a denial and its word: `not yet cancelled`, `nicht mehr abgesagt`. */
const YET =
  '(?:\\s+(?:yet|been|mehr|meer|encore|[ée]t[ée]|l[äa]ngre|lenger|l[æa]engere|m[áa]s|pi[ùu]|sido|jest|bylo|worden|blevet|blitt|blivit))?';
/** `not cancelled` and `replaces a cancelled slot`, each in the words of one language. */
const OF_ANOTHER = new RegExp(
  Object.values(CANCEL_WORDS)
    .map(
      ({ cancelled, not, instead }) =>
        `(?<![\\p{L}\\p{N}])(?:(?:${not})${YET}|(?:${instead})(?:\\s+\\p{L}+){0,2})\\s+(?:${cancelled})`,
    )
    .join('|'),
  'giu',
);
const NO_BOOKING = word(
  'maintenance|service|servicing|repairs?|upgrades?|installation|qa|qc|quality (?:assurance|control)|calibration|' +
    'phantoms?|cleaning|closed|closure|blocked|block|reserved|holidays?|training|meeting|safety|inspection|' +
    'onderhoud|storing|gesloten|schoonmaak|wartung|gesperrt|reinigung',
);
const NO_DETAILS =
  /^(?:busy|private(?: appointment| event)?|bezet|priv[eé](?:-?afspraak)?|gebucht|besetzt|privater termin|occup[eé]|ocupado|unavailable|no title|\(no title\)|tentative|out of office)?$/iu;
const OPEN = word('tb[acd]|to be (?:announced|determined|decided|confirmed)|n\\.?n\\.?t?b?');
const OPEN_LABEL =
  /^(?:sub|ses|s|p)?[-_. ]*(?:tb[acd]|x{2,}|[?#]+|n\.?n\.?|none|unknown|onbekend|unbekannt|todo|later|\d+(?:x{2,}|[?#]+))$/iu;

/** “cancelled” typed into the title, but neither “not cancelled” nor “replaces a cancelled slot”. */
export const saysCancelled = (title: string): boolean =>
  CANCELLATION.test(title) || CANCELLED.test(title.replaceAll(OF_ANOTHER, ' '));
export const saysNoBooking = (title: string): boolean => NO_BOOKING.test(title);
/** Nothing but “Busy” or the like: the calendar hides the title. */
export const hidesDetails = (title: string): boolean => NO_DETAILS.test(title.trim());
/** “tba” somewhere in the title. */
export const saysOpen = (title: string): boolean => OPEN.test(title);
/** A word such as `sub-???` or `ses-0XX` in a title that is not read. */
export const hasOpenWord = (title: string): boolean =>
  title
    .split(/[\s,;]+/u)
    .some((text) => /\p{L}[-_]?\d*(?:[?#]+|x{2,})$/iu.test(text) && OPEN_LABEL.test(text));
/** A label that stands for one that is not known yet: `tba`, `sub-xx`, `?`. */
export const isOpen = (label: string): boolean => OPEN_LABEL.test(label);

/**
 * Words of bookers in the languages of the facilities we know: what they say, which of them a sentence may repeat, and those for
 * project, subject and session before the colon of a line, which the configuration turns on.
 */
import type { LabelName } from '../booking.ts';

/** Matches the alternatives where they are words of their own, and not the end of another: `noise-cancelled`. */
export const word = (alternatives: string): RegExp => new RegExp(wordSource(alternatives), 'iu');

export const wordSource = (alternatives: string): string =>
  `(?<![\\p{L}\\p{N}]|\\p{L}[-_])(?:${alternatives})(?![\\p{L}\\p{N}])`;

const NO_BOOKING = word(
  'maintenance|service|servicing|repairs?|upgrades?|installation|qa|qc|quality (?:assurance|control)|calibration|' +
    'phantoms?|cleaning|closed|closure|blocked|block|reserved|holidays?|training|meeting|safety|inspection|' +
    'onderhoud|storing|gesloten|schoonmaak|wartung|gesperrt|reinigung',
);
const NO_DETAILS =
  /^(?:busy|private(?: appointment| event)?|bezet|priv[eé](?:-?afspraak)?|gebucht|besetzt|privater termin|occup[eé]|ocupado|unavailable|no title|\(no title\)|tentative|out of office)?$/iu;
const OPEN = word('tb[acd]|to be (?:announced|determined|decided|confirmed)|n\\.?n\\.?t?b?');
/** What stands for a label, or behind `sub-`, until it is known. */
const BLANK =
  'tb[acd]|[?#*_…]+|\\.{2,}|x{2,}|n{2,}|y{2,}|n\\.n\\.|none|unknown|onbekend|unbekannt|inconnue?|ukendt|ukjent|ok[äa]nd|' +
  'desconocid[oa]|sconosciut[oa]|nieznany|nezn[áa]m[ýy]|todo|later|nvt|n/?a|nr|\\[nr\\]|<nr>';
const OPEN_LABEL = new RegExp(`^(?:(?:sub(?:ject)?|ses(?:sion)?|s|p)?[-_. ]*(?:${BLANK})|[-_. ]+)$`, 'iu');
/** The same behind other characters: `ses-mri01?`, `sub-con0XX`, `ses-mriXX`, `sub-0X`. */
const OPEN_END = /[?#]$|\p{N}[xX]{2,}$|(?<!\p{Lu})X{2,}$|(?<!\p{N})0+[xX]$/u;
/** A number that is not whole yet: `3010000.XX`, `301XXXX.01`, `3010000.??`. */
const OPEN_NUMBER = /^[X.]{3,}$|^(?=.*\d)(?:[\d.]|X{2,}|\?+)*(?:X{2,}|\?)(?:[\d.]|X{2,}|\?+)*$/u;

export const saysNoBooking = (title: string): boolean => NO_BOOKING.test(title);
/** Nothing but “Busy” or the like: the calendar hides the title. */
export const hidesDetails = (title: string): boolean => NO_DETAILS.test(title.trim());
/** “tba” somewhere in the title. */
export const saysOpen = (title: string): boolean => OPEN.test(title);
/** Words such as `sub-???`, `ses-0XX` and `3010000.XX` of a title that is not read, in their order. */
export const openWords = (title: string): string[] =>
  title
    .split(/[\s,;]+/u)
    .filter((text) => (/^\p{L}{2,}[-_]/u.test(text) ? isOpen(text) : OPEN_NUMBER.test(text)));
/** A label that stands for one that is not known yet: `tba`, `sub-xx`, `?`, `ses-mri01?`. */
export const isOpen = (label: string): boolean => OPEN_LABEL.test(label) || OPEN_END.test(label);

/** Words of codes. Any other word of two letters or more may be a name: `Jansen1980`, `Li2`. */
const CODE_WORDS = new Set(
  (
    'sub subj subject sbj ses sess session proj project pat patient pt con ctrl control pilot mr mri fmri ' +
    'pet eeg meg ct us anat func day run visit scan wk week base pre post oct test phantom ' +
    'tba tbd tbc todo unknown none xx yy nn'
  ).split(' '),
);
/** Numbers as long as those of people, and dates: `19800131`, `31-01-80`, `31/1/1980`. */
const PERSONAL =
  /\d{8}|(?<!\d)\d{6}(?!\d)|\d{4}[-_./,:]\d{1,2}[-_./,:]\d{1,2}|(?<!\d)\d{1,2}[-_./,:]\d{1,2}[-_./,:]\d{2}/u;

const isCodeWord = (word: string): boolean => {
  const lower = word.toLowerCase();
  return CODE_WORDS.has(lower) || /^(?:x+|y+|n+|o+)$/u.test(lower);
};

/** Whether a text holds a date, or a number as long as those of people. */
export const isPersonal = (text: string): boolean => PERSONAL.test(text);

/** Whether a word may stand in a sentence that others read. */
export const isQuotable = (word: string): boolean =>
  /^[A-Za-z0-9._+()?#*=&@/,:-]{1,64}$/u.test(word) &&
  !isPersonal(word) &&
  (word.replace(/X{2,}$/u, '').match(/[A-Za-z]{2,}/gu) ?? []).every(isCodeWord);

/** `“sub-001”`, or nothing. */
export const quoted = (word: string): string | undefined => (isQuotable(word) ? `“${word}”` : undefined);

/** Words of a title, repeated or by their place where they may be personal; at most three. */
export function pointedAt(words: readonly string[], title: string): string[] {
  const all = title
    .split(/\s+/u)
    .map((word) => word.replaceAll(/^[^\p{L}\p{N}.#]+|[^\p{L}\p{N}.?#-]+$/gu, ''));
  return [...new Set(words)]
    .flatMap((word) => {
      const index = all.findIndex((one) => one.includes(word));
      return quoted(word) ?? (index < 0 ? [] : [`word ${index + 1}`]);
    })
    .slice(0, 3);
}

/** Those that may be repeated, each once, in their order; at most three. */
export const quotable = (words: readonly string[]): string[] =>
  [...new Set(words)].flatMap((word) => quoted(word) ?? []).slice(0, 3);

type Words = Readonly<Record<LabelName, readonly string[]>>;

export const LANGUAGES = ['en', 'de', 'nl', 'fr', 'da', 'nb', 'sv', 'es', 'it', 'pl', 'cs'] as const;
export type Language = (typeof LANGUAGES)[number];

/** No word with which mail programs begin the head of a mail (`Objet`, `Betreff`, `Emne`): pasted mails have those. */
export const LABEL_WORDS: Readonly<Record<Language, Words>> = {
  en: {
    project: ['Project', 'Project number', 'Project ID'],
    subject: ['Subject', 'Subject ID', 'Participant', 'Participant ID', 'Volunteer'],
    session: ['Session', 'Session ID'],
  },
  de: {
    project: ['Projekt', 'Projektnummer', 'Projekt-Nr.', 'Projekt-Nr'],
    subject: [
      ...['Proband', 'Probandin', 'Proband/in', 'Proband*in', 'Proband_in', 'ProbandIn', 'Probandencode'],
      ...['Proband-Nr.', 'Probandennummer', 'Proband-ID', 'Probanden-ID', 'Versuchsperson', 'Vp', 'Vpn'],
      ...['Teilnehmer', 'Teilnehmerin', 'Teilnehmer/in', 'Teilnehmer*in'],
    ],
    session: ['Sitzung', 'Session'],
  },
  nl: {
    project: ['Project', 'Projectnummer', 'Projectnr', 'Projectnr.'],
    subject: [
      'Proefpersoon',
      'Proefpersoonnummer',
      'Proefpersoon-ID',
      'Ppn',
      'PP',
      'Deelnemer',
      'Deelneemster',
      'Vrijwilliger',
    ],
    session: ['Sessie', 'Session'],
  },
  fr: {
    project: ['Projet', 'Numéro de projet', 'Numero de projet'],
    subject: ['Sujet', 'Participant', 'Participante', 'Participant(e)', 'Participant·e', 'Volontaire'],
    session: ['Session', 'Séance', 'Seance'],
  },
  da: {
    project: ['Projekt', 'Projektnummer'],
    subject: ['Forsøgsperson', 'Forsoegsperson', 'Forsøgsdeltager', 'Deltager'],
    session: ['Session'],
  },
  nb: {
    project: ['Prosjekt', 'Prosjektnummer'],
    subject: ['Forsøksperson', 'Forsoksperson', 'Forsøksdeltaker', 'Deltaker', 'Deltakar', 'Deltager'],
    session: ['Økt', 'Sesjon'],
  },
  sv: {
    project: ['Projekt', 'Projektnummer'],
    subject: ['Försöksperson', 'Forsoksperson', 'Forskningsperson', 'Forskningsdeltagare', 'Deltagare'],
    session: ['Session', 'Tillfälle', 'Tillfalle'],
  },
  es: {
    project: ['Proyecto', 'Número de proyecto', 'Numero de proyecto'],
    subject: ['Sujeto', 'Participante', 'Voluntario', 'Voluntaria', 'Voluntario/a'],
    session: ['Sesión', 'Sesion'],
  },
  it: {
    project: ['Progetto', 'Numero di progetto'],
    subject: ['Soggetto', 'Partecipante', 'Volontario', 'Volontaria', 'Volontario/a'],
    session: ['Sessione', 'Seduta'],
  },
  pl: {
    project: ['Projekt', 'Nr projektu', 'Numer projektu'],
    subject: [
      ...[
        'Uczestnik',
        'Uczestniczka',
        'Badany',
        'Badana',
        'Badany/a',
        'Badana/y',
        'Osoba badana',
        'Ochotnik',
      ],
      ...['Nr uczestnika', 'Numer uczestnika'],
    ],
    session: ['Sesja', 'Nr sesji', 'Numer sesji'],
  },
  cs: {
    project: ['Projekt', 'Číslo projektu', 'Cislo projektu'],
    subject: [
      'Proband',
      'Probandka',
      'Účastník',
      'Ucastnik',
      'Účastnice',
      'Ucastnice',
      'Dobrovolník',
      'Vyšetřovaný',
      'Vyšetřovaná',
    ],
    session: ['Sezení', 'Sezeni', 'Session'],
  },
};

/** The words of a facility, and behind them those of languages; each once. */
export function withLanguages(own: Words, languages: readonly Language[]): Words {
  const all = (name: LabelName): string[] => [
    ...new Set([...own[name], ...languages.flatMap((language) => LABEL_WORDS[language][name])]),
  ];
  return { project: all('project'), subject: all('subject'), session: all('session') };
}

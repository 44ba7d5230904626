/** Words for project, subject and session before the colon of a line, by language. On by configuration. */
import type { LabelName } from '../booking.ts';

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

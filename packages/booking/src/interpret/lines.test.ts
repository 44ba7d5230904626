/** Lines with the words of many languages, and lines beside a right title that say nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from '../pattern/pattern.ts';
import { judge, rules } from '@scanflow/testkit/events';
import { LANGUAGES, withLanguages } from './words.ts';

const patterns = [
  compilePattern('^(?<project>\\d{7}\\.\\d{2})[ _](?<subject>sub-?\\w+)[ _](?<session>ses-?\\w+)'),
];
const RIGHT = '3010000.01 sub-001 ses-mri01';
const labelsOf = (summary: string, description: string, keys = rules.keys): string => {
  const outcome = judge({ summary, description }, { patterns, keys });
  return outcome.outcome === 'booking'
    ? Object.values<string>({ ...outcome.booking.labels }).join(' ')
    : outcome.reason;
};

const WORDS: readonly string[] = [
  'Projekt: 3010000.01\nProband: sub-001\nSitzung: ses-mri01',
  'Projekt-ID: 3010000.01\nProbanden-Nr.: sub-001\nSitzung Nr.: ses-mri01',
  'Projekt: 3010000.01\nProband*innen-Code: sub-001\nSitzung: ses-mri01',
  'Projekt: 3010000.01\nProband:in: sub-001\nSitzung: ses-mri01',
  'Projekt: 3010000.01\nProband_in: sub-001\nSitzung: ses-mri01',
  'Projekt: 3010000.01\nVP-Code: sub-001\nSitzung: ses-mri01',
  'Project: 3010000.01\nProefpersoon: sub-001\nSessie: ses-mri01',
  'Projectcode: 3010000.01\nProefpersooncode: sub-001\nSessienummer: ses-mri01',
  'Project nr: 3010000.01\nProefpersoon nr: sub-001\nSessie nr: ses-mri01',
  'Projectnr: 3010000.01\nPpnr: sub-001\nSessie: ses-mri01',
  'Project: 3010000.01\nDeelnemersnummer: sub-001\nSessie: ses-mri01',
  'Project: 3010000.01\nDeelneemster: sub-001\nSessie: ses-mri01',
  'Projet : 3010000.01\nSujet : sub-001\nSéance : ses-mri01',
  'N° de projet : 3010000.01\nN° de sujet : sub-001\nSession : ses-mri01',
  'Projet n° 3010000.01\nSujet n° sub-001\nSession n° ses-mri01',
  'Projet : 3010000.01\nParticipant(e) : sub-001\nSession : ses-mri01',
  'Projekt: 3010000.01\nForsøgsperson: sub-001\nSession: ses-mri01',
  'Projektnr.: 3010000.01\nForsøgspersonnr.: sub-001\nSession: ses-mri01',
  'Prosjekt: 3010000.01\nForsøksperson: sub-001\nØkt: ses-mri01',
  'Prosjektnr: 3010000.01\nDeltakernummer: sub-001\nSesjon: ses-mri01',
  'Prosjekt: 3010000.01\nDeltakar: sub-001\nØkt: ses-mri01',
  'Projekt: 3010000.01\nFörsöksperson: sub-001\nSession: ses-mri01',
  'Projektnr: 3010000.01\nDeltagare: sub-001\nTillfälle: ses-mri01',
  'Proyecto: 3010000.01\nSujeto: sub-001\nSesión: ses-mri01',
  'Nº de proyecto: 3010000.01\nCódigo de sujeto: sub-001\nSesión: ses-mri01',
  'Proyecto nº 3010000.01\nParticipante nº sub-001\nSesión nº ses-mri01',
  'Proyecto: 3010000.01\nVoluntario/a: sub-001\nSesión: ses-mri01',
  'Progetto: 3010000.01\nSoggetto: sub-001\nSessione: ses-mri01',
  'N. progetto: 3010000.01\nCodice soggetto: sub-001\nSessione: ses-mri01',
  'Projekt: 3010000.01\nUczestnik: sub-001\nSesja: ses-mri01',
  'Nr projektu: 3010000.01\nNr uczestnika: sub-001\nNr sesji: ses-mri01',
  'Projekt: 3010000.01\nBadany/a: sub-001\nSesja: ses-mri01',
  'Projekt: 3010000.01\nProband: sub-001\nSezení: ses-mri01',
  'Č. projektu: 3010000.01\nÚčastník: sub-001\nSezení: ses-mri01',
  'Projekt č. 3010000.01\nProband č. sub-001\nSezení č. ses-mri01',
  'Projekt: 3010000.01\nFörsöksperson: sub-001\nSession: ses-mri01',
  'PROJEKT: 3010000.01\nPROBAND: sub-001\nSITZUNG: ses-mri01',
];
const keys = withLanguages(rules.keys, LANGUAGES);
for (const description of WORDS)
  test(`understood: with the words of languages, the description ${JSON.stringify(description)}`, () => {
    assert.equal(labelsOf('MRI', description, keys), RIGHT);
  });

/** Beside a right title: none of these says anything else. */
const BESIDE: readonly string[] = [
  'Subject: see title',
  'Subject: zie titel',
  'Session: 09:00-10:00',
  'Project: 3010000.01 memory and sleep',
  'Subject: Invitation: 3010000.01 sub-001 ses-mri01 @ Monday',
  'Subject: Updated invitation: scan',
  'Subject: Accepted: scan',
  'Previous session no. ses-mri00 was fine',
  'Subject no. sub-002 is next week',
  '~Project: memory study',
  '[Session]: morning',
  '1 - Subject: left-handed people',
];
for (const description of BESIDE)
  test(`understood: beside a right title, ${JSON.stringify(description)}`, () => {
    assert.equal(labelsOf(RIGHT, description), RIGHT);
  });

test('lines: labels with a point in them are no times, and a number behind a label is no comment', () => {
  const lines = (project: string, session: string): string =>
    labelsOf('MRI', `Project: ${project}\nSubject: sub-001\nSession: ${session}`);
  assert.equal(lines('12.34', '1.02'), '12.34 sub-001 1.02');
  assert.equal(lines('3010000.01 phase 2', 'ses-1 part 2'), '3010000.01 phase 2 sub-001 ses-1 part 2');
  assert.equal(lines('3010000.01 memory', 'ses-1 (morning)'), '3010000.01 sub-001 ses-1');
});

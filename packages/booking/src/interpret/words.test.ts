/** Words of lines in other languages: each is understood where its language is on, and none where it is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, rules } from '@scanflow/testkit/events';
import { LABELS } from '../booking.ts';
import { LABEL_WORDS, LANGUAGES, withLanguages } from './words.ts';

const VALUES = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };

for (const language of LANGUAGES)
  test(`languages: every word of ${language} before the colon of a line`, () => {
    const keys = withLanguages(rules.keys, [language]);
    for (const name of LABELS)
      for (const word of LABEL_WORDS[language][name]) {
        const lines = LABELS.map((one) => `${one === name ? word : one}: ${VALUES[one]}`).join('\n');
        for (const description of [lines, lines.toUpperCase(), lines.replaceAll(':', ' :'), `- ${lines}`]) {
          const outcome = judge({ summary: 'x', description }, { keys });
          assert.ok(outcome.outcome === 'booking', `${description}: ${outcome.reason}`);
          assert.equal(outcome.booking.labels[name].toLowerCase(), VALUES[name], description);
        }
      }
  });

test('languages: a word means one label only, in all languages together', () => {
  const all = withLanguages(rules.keys, LANGUAGES);
  const words = LABELS.flatMap((name) => [...new Set(all[name].map((word) => word.toLowerCase()))]);
  assert.equal(new Set(words).size, words.length);
});

test('languages: none is on by itself, and the words of the facility come first', () => {
  const description = 'Project: 3010000.01\nProefpersoon: sub-001\nSession: ses-mri01';
  assert.equal(judge({ summary: 'x', description }).code, 'INCOMPLETE');
  const keys = withLanguages({ ...rules.keys, subject: ['PP'] }, ['nl', 'de']);
  assert.equal(keys.subject[0], 'PP');
  assert.equal(judge({ summary: 'x', description }, { keys }).code, 'BOOKING');
});

test('languages: the head of a mail in another language is none of its words', () => {
  const keys = withLanguages(rules.keys, LANGUAGES);
  for (const description of [
    'De : A\nEnvoyé : lundi\nÀ : B\nSujet : créneau',
    'Von: A\nGesendet: Montag\nAn: B\nBetreff: Termin',
    'Da: A\nA: B\nOggetto: turno',
    'Sujet: RE: créneau',
  ])
    assert.equal(judge({ description }, { keys }).code, 'BOOKING', description);
});

/** Cancelled is cancelled, in each language of the table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './interpret-support.ts';
import { CANCEL_WORDS, saysCancelled } from './words.ts';

const RIGHT = '3010000.01 sub-001 ses-mri01';
const CANCELLED: Readonly<Record<string, readonly string[]>> = {
  en: ['CANCELLED no show', 'no show cancelled', 'called off', '- cancellation', '(no-show)'],
  nl: ['afgezegd, komt niet', 'Gaat niet door', 'GEANNULEERD', 'gecanceld', 'vervalt', 'afgelast'],
  de: ['entfällt', 'abgesagt', 'fällt aus', 'findet nicht statt', 'storniert', 'ausgefallen'],
  fr: ['annulé', 'ANNULÉE', "n'aura pas lieu", '(annulation)'],
  da: ['aflyst', 'udgår', 'AFLYST: ikke fremmødt'],
  nb: ['avlyst', 'kansellert', 'utgår'],
  sv: ['inställd', 'inställt', 'avbokad', 'utgår'],
  es: ['cancelado', 'anulada', 'suspendido'],
  it: ['annullato', 'disdetta', 'cancellato'],
  pl: ['odwołane', 'odwołany', 'anulowano'],
  cs: ['zrušeno', 'zrušen', 'nekoná se', 'storno'],
};
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  en: [
    '(replaces a cancelled slot)',
    '(not cancelled)',
    'noise cancellation',
    'instead of the cancelled one',
  ],
  nl: ['(niet afgezegd)', 'vervangt afgezegde scan', 'in plaats van geannuleerd slot'],
  de: ['(nicht abgesagt)', 'ersetzt abgesagten Termin', 'statt ausgefallenem Termin'],
  fr: ['(pas annulé)', 'remplace un créneau annulé'],
  da: ['(ikke aflyst)', 'erstatter aflyst tid'],
  nb: ['(ikke avlyst)', 'erstatter avlyst time'],
  sv: ['(inte inställd)', 'ersätter inställd tid'],
  es: ['(no cancelado)', 'reemplaza turno cancelado'],
  it: ['(non annullato)', 'sostituisce slot annullato'],
  pl: ['(nie odwołane)', 'zamiast odwołanego terminu'],
  cs: ['(ne zrušeno)', 'místo zrušeného termínu'],
};

test('cancelled: every language of the table has its tests', () => {
  assert.deepEqual(Object.keys(CANCELLED), Object.keys(CANCEL_WORDS));
  assert.deepEqual(Object.keys(TAKEN), Object.keys(CANCEL_WORDS));
});
for (const [language, words] of Object.entries(CANCELLED))
  test(`cancelled: ${language}, before and after the labels`, () => {
    for (const text of words)
      assert.equal(judge({ summary: `${RIGHT} ${text}` }).code, 'CANCELLED_TITLE', text);
    for (const text of words.filter((one) => /^\p{L}/u.test(one)))
      assert.ok(saysCancelled(`${text} ${RIGHT}`), text);
  });
for (const [language, words] of Object.entries(TAKEN))
  test(`cancelled: ${language}, what speaks of another slot or denies it is a booking`, () => {
    for (const text of words) assert.equal(judge({ summary: `${RIGHT} ${text}` }).outcome, 'booking', text);
  });

test('cancelled: a denied word does not hide another one', () => {
  assert.ok(saysCancelled(`${RIGHT} CANCELLED (room not cancelled)`));
});

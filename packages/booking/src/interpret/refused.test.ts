/** Titles that stay refused: the sentence names what is wrong as it was typed, advises no other value, and names nobody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from '../pattern/pattern.ts';
import { judge } from '@scanflow/testkit/events';

const whole = (source: string): ReturnType<typeof compilePattern> => compilePattern(`^(?:${source})$`);
const RULES = {
  patterns: [
    compilePattern('^(?<project>\\d{7}\\.\\d{2})[ _](?<subject>sub-?\\w+)[ _](?<session>ses-?\\w+)'),
  ],
  labels: {
    characters: 'ascii',
    patterns: {
      project: whole('\\d{7}\\.\\d{2}'),
      subject: whole('sub-?\\w+'),
      session: whole('ses-?\\w[\\w.+-]*'),
    },
  },
} as const;
const reasonOf = (summary: string, description = ''): [code: string, reason: string] => {
  const { code, reason } = judge({ summary, description }, RULES);
  return [code, reason];
};

const ROWS: readonly (readonly [title: string, code: string, said: RegExp, description?: string])[] = [
  ['3010000.01 sub-001-b ses-1', 'TITLE_FORM', /“sub-001-b” is not .*“-” after “sub-001”/u],
  ['3010000.01-sub-001-ses-1', 'TITLE_FORM', /“-” after “3010000\.01”/u],
  [
    'sub-007 3010042.03 ses-b1',
    'TITLE_FORM',
    /“sub-007” before “3010042\.03”.*“3010042\.03 sub-007 ses-b1”/u,
  ],
  ['Pilot: 3010042.03 sub-007 ses-b1', 'TITLE_FORM', /“Pilot:” stands before “3010042\.03”/u],
  ['Phantom 3010042.03 sub-007 ses-b1', 'TITLE_FORM', /“Phantom” stands before/u],
  ['[option] 3010042.03 sub-007 ses-b1', 'TITLE_FORM', /stand.* before “3010042\.03”/u],
  ['~~3010042.03 sub-007 ses-b1~~', 'TITLE_FORM', /before “3010042\.03”/u],
  ['❌ 3010042.03 sub-007 ses-b1', 'TITLE_FORM', /before “3010042\.03”/u],
  ['3010042.03 sub-007 today ses-b1', 'TITLE_FORM', /between “3010042\.03” and “ses-b1”/u],
  ['3010000-01 sub-007 ses-b1', 'INCOMPLETE', /“3010000-01” in the title.*“Subject: sub-007”/u],
  ['3010000.1 sub-007 ses-b1', 'INCOMPLETE', /“3010000\.1” in the title/u],
  ['3010000.012 sub-007 ses-b1', 'INCOMPLETE', /“3010000\.012” in the title/u],
  ['3010000.01 sub- ses-b1', 'INCOMPLETE', /“sub-” in the title/u],
  ['3010000.01 sub 001 ses-b1', 'INCOMPLETE', /“001” in the title/u],
  ['3010000.01 sub-jané1 ses-b1', 'INCOMPLETE', /“é”/u],
  ['3010000.01 sub-٠٠١ ses-b1', 'INCOMPLETE', /“٠”/u],
  ['3010000.01 ѕub-001 ses-b1', 'INCOMPLETE', /“ѕ”/u],
  ['3010000.01 sub-001 ses-pré01', 'LABEL_CHARACTERS', /“é”/u],
  ['3010000.01 sub-001 ses-mri01#2', 'LABEL_CHARACTERS', /“#”/u],
  ['3010000.01, sub-001, ses-mri01/02', 'LABEL_CHARACTERS', /“\/”/u],
  ['3010000.01/sub-001/ses-mri01/02', 'LABEL_CHARACTERS', /“\/”/u],
  ['3010000.01 sub-0XX ses-mri01', 'SUBJECT_OPEN', /“sub-0XX”/u],
  ['3010000.01 sub-??? ses-mri01', 'SUBJECT_OPEN', /“sub-\?\?\?”/u],
  ['3010000.01 sub-TBD ses-mri01', 'SUBJECT_OPEN', /“sub-TBD”/u],
  ['3010000.01 sub-001 ses-mri01?', 'SUBJECT_OPEN', /“\?” after “ses-mri01”/u],
  ['3010000.01 sub-001 ses-mri01 (?)', 'SUBJECT_OPEN', /“\?” after “ses-mri01”/u],
  ['3010000.01 sub-001? ses-mri01', 'SUBJECT_OPEN', /“sub-001\?”/u],
  ['3010000.01 sub-con0XX ses-mri01', 'SUBJECT_OPEN', /“sub-con0XX”/u],
  ['3010000.01 sub-001 ses-mriXX', 'SUBJECT_OPEN', /“ses-mriXX”/u],
  ['3010000.XX sub-001 ses-mri01', 'SUBJECT_OPEN', /“3010000\.XX”/u],
  ['301XXXX.01 sub-001 ses-mri01', 'SUBJECT_OPEN', /“301XXXX\.01”/u],
  ['3010000.?? sub-001 ses-mri01', 'SUBJECT_OPEN', /“3010000\.\?\?”/u],
  ['3010000.01 sub-… ses-mri01', 'SUBJECT_OPEN', /not decided yet/u],
  ['3010000.01 sub-*** ses-mri01', 'SUBJECT_OPEN', /“sub-\*\*\*”/u],
  ['3010000.01 sub-0O7 ses-1', 'LETTER_O', /“sub-0O7”.*“Subject: sub-007”/u],
  ['3O10000.01 sub-001 ses-1', 'LETTER_O', /“3O10000\.01”/u],
  ['3010000.01 sub-007 sub-008 ses-1', 'TWO_SUBJECTS', /“sub-007” and “sub-008”.*“Subject: sub-007”/u],
  ['3010000.01 sub-007+008 ses-1', 'TWO_SUBJECTS', /“sub-007” and “008”/u],
  ['3010000.01 sub-007_sub-008 ses-1', 'TWO_SUBJECTS', /“sub-007” and “sub-008”/u],
  ['3010000.01 sub-001 ses-1_ses-2', 'TWO_LABELS', /“ses-1” and “ses-2”/u],
  ['3010000.01 sub-001 SES-01 SES-02', 'TWO_LABELS', /“ses-01” and “ses-02”/u],
  ['3010000.01 sub-001 ses-mri01 and mri02', 'TWO_LABELS', /“ses-mri01” and “mri02”/u],
  ['3010000.01, sub-001, ses-mri01, 02', 'TWO_LABELS', /“ses-mri01” and “02”/u],
  [
    'MRI',
    'TWO_LABELS',
    /“ses-1” and “ses-2”/u,
    'Project: 3010000.01\nSubject: sub-001\nSession: ses-1, ses-2',
  ],
  [
    'MRI',
    'LABEL_FORM',
    /“sub-con-01”.*the “-” at place 8/u,
    'Project: 3010000.01\nSubject: sub-con-01\nSession: ses-1',
  ],
  ['MRI', 'LABEL_FORM', /“3010000\.1”/u, 'Project: 3010000.1\nSubject: sub-001\nSession: ses-1'],
  ['MRI', 'SUBJECT_OPEN', /“ses-mri01\?”/u, 'Project: 3010000.01\nSubject: sub-001\nSession: ses-mri01?'],
  ['MRI', 'SUBJECT_OPEN', /not decided/u, 'Project: 3010000.01\nSubject: to be decided\nSession: ses-1'],
  ['3010000,01 sub-001 ses-mri01', 'INCOMPLETE', /the “,” of “3010000,01” should be “\.”/u],
  ['3010000.01 sub:001 ses-mri01', 'INCOMPLETE', /the “:” of “sub:001” should be “-”/u],
  ['3010000.01 sub=001 ses-mri01', 'INCOMPLETE', /the “=” of “sub=001” should be “-”/u],
  ['3010000.01 sub.001 ses-mri01', 'INCOMPLETE', /the “\.” of “sub\.001” should be “-”/u],
  ['3010000.01 sub-001 ses 1', 'INCOMPLETE', /“ses” and “1” in the title/u],
  ['3010000.01 sub-001 Session-1', 'INCOMPLETE', /“Session-1” in the title/u],
  ['3010000.01 subject 1 session 1', 'INCOMPLETE', /“subject”, “1” and “session”/u],
  ['3010000.01 subj-001 ses-mri01', 'INCOMPLETE', /The subject cannot be read\. “subj-001”/u],
  ['301000.01 sub-001 ses-mri01', 'INCOMPLETE', /Word 1 in the title/u],
  ['30100000.01 sub-001 ses-mri01', 'INCOMPLETE', /Word 1 in the title/u],
  ['Moved: 3010000.01 sub-001 ses-mri01', 'TITLE_FORM', /“Moved:” stands before/u],
  ['Verschoben: 3010000.01 sub-001 ses-mri01', 'TITLE_FORM', /“Verschoben:” stands before/u],
  ['3010000.01 sub-001 LH ses-mri01', 'TITLE_FORM', /behind “sub-001”,/u],
  ['3010000.01 memory sub-001 ses-mri01', 'TITLE_FORM', /behind “3010000\.01”,/u],
  [
    '3010000.01 sub-001 pilot ses-mri01',
    'TITLE_FORM',
    /“pilot” stands behind “sub-001”, between “3010000\.01” and “ses-mri01”/u,
  ],
  ['3010000.01 sub-001,002 ses-mri01', 'TWO_SUBJECTS', /“sub-001” and “002”/u],
  ['3010000.01 sub-001 and 002 ses-mri01', 'TWO_SUBJECTS', /“sub-001” and “002”/u],
  ['3010000.01 sub-001 ses-01 t/m 03', 'TWO_LABELS', /“ses-01” and “03”/u],
  ['3010000.01 sub-001 ses-01 -> ses02', 'TWO_LABELS', /“ses-01” and “ses02”/u],
  ['3010000.01 sub-001 ses-mri01 to mri03', 'TWO_LABELS', /“ses-mri01” and “mri03”/u],
  [
    'MRI',
    'TWO_SUBJECTS',
    /“sub-001” and “sub-002”/u,
    'Project: 3010000.01\nSubject: sub-001 (was sub-002)\nSession: ses-1',
  ],
  ['MRI', 'LABEL_CHARACTERS', /“,”/u, 'Project: 3010000,01\nSubject: sub-001\nSession: ses-1'],
  [
    'MRI',
    'INCOMPLETE',
    /session is missing/u,
    'Project: 3010000.01\nSubject: sub-001\nPrevious session: ses-1',
  ],
  [
    'MRI',
    'INCOMPLETE',
    /subject is missing/u,
    'Project: 3010000.01\nSession: ses-1\nNot subject sub-002 of last week',
  ],
  ['3010000.01 sub-001 ses-mri01', 'CONTRADICTION', /“TBD” in the description/u, 'Subject: TBD'],
];
for (const [title, code, said, description = ''] of ROWS)
  test(`refused: ${JSON.stringify([title, description])} is ${code} and says why`, () => {
    const [given, reason] = reasonOf(title, description);
    assert.equal(given, code, reason);
    assert.match(reason, said);
  });

test('refused: what is counted behind the labels is no other session', () => {
  for (const rest of [', 2 hours', ', 30 min', ' & 2 RAs', ' + 1h', ', 3T', ' / Anna 2', ', 2 uur'])
    assert.equal(judge({ summary: `3010000.01 sub-001 ses-mri01${rest}` }, RULES).outcome, 'booking', rest);
});

test('refused: a project that may not be booked is named itself, and no other', () => {
  const projects = new Map([['3010042.03', { scanners: ['skyra'] }]]);
  const { code, reason } = judge({ summary: '3010042.03 sub-007 ses-b1' }, { ...RULES, projects });
  assert.equal(code, 'PROJECT_NOT_HERE');
  assert.match(reason, /“Project: 3010042\.03”/u);
});

test('refused: an O before a zero at the end of a word is no zero', () => {
  for (const session of ['ses-demo01', 'ses-video02', 'ses-photo0', 'ses-stereo01'])
    assert.equal(reasonOf(`3010000.01 sub-001 ${session}`)[0], 'BOOKING', session);
});

const NAMES = [
  'Jan Jansen',
  'Jansen',
  'Jansen1980',
  'sub-jansen1',
  'Li2',
  'J.Jansen-01',
  'jan.jansen@x.org',
  'Müller7',
  '19800131',
  'sub-19800131',
  '31/01/1980',
  '1980/01/31',
  '31.1.1980',
  '1980-01-31',
];
const PLACES: readonly ((name: string) => readonly [title: string, description: string])[] = [
  (name) => [name, ''],
  (name) => [`${name}: 3010000.01 sub-001 ses-1`, ''],
  (name) => [`3010000.01 ${name} ses-1`, ''],
  (name) => [`3010000.01 sub-001 ${name}`, ''],
  (name) => [`${name} sub-001`, ''],
  (name) => [`3010000.01 sub-001-${name} ses-1`, ''],
  (name) => [`3010000.01 sub-001 ses-1 ses-${name}`, ''],
  (name) => [`3010000.01 sub-${name} sub-001 ses-1`, ''],
  (name) => ['3010000.01 sub-001 ses-1', `Subject: ${name}`],
  (name) => ['3010000.01 sub-001 ses-1', `Session: ${name}`],
  (name) => ['MRI', `Project: ${name}\nSubject: sub-001\nSession: ses-1`],
  (name) => ['MRI', `Project: 3010000.01\nSubject: ${name}\nSession: ses-1`],
  (name) => ['MRI', `Project: 3010000.01\nSubject: sub-001, ${name} 2\nSession: ses-1`],
  (name) => ['MRI', `Project: 3010000.01\nSubject: ${name}?\nSession: ses-1`],
  (name) => ['MRI', `Project: 3010000.01\nSubject: ${name}0O1\nSession: ses-1`],
];
test('refused: no sentence repeats a name or a date of birth, wherever it stands', () => {
  for (const name of NAMES)
    for (const place of PLACES) {
      const [title, description] = place(name);
      for (const labels of [undefined, RULES.labels]) {
        const { outcome, reason } = judge({ summary: title, description }, { ...RULES, labels });
        if (outcome === 'rejected')
          assert.doesNotMatch(
            reason,
            /jan|li2|m[uü]ller|1980|x\.org/iu,
            JSON.stringify([title, description]),
          );
      }
    }
});

test('refused: a date of birth with two digits for the year is not repeated either', () => {
  for (const date of ['31-01-80', '31/01/80', '31.1.80'])
    for (const place of PLACES) {
      const [title, description] = place(date);
      const { outcome, reason } = judge({ summary: title, description }, RULES);
      if (outcome === 'rejected') assert.ok(!reason.includes(date), JSON.stringify([title, reason]));
    }
});

test('refused: an hour behind the labels is no other session, and a code that counts for nothing is named', () => {
  const told = (rest: string): [string, string] => {
    const { code, reason } = judge({ summary: `3010000.01 sub-001 ses-mri01 ${rest}` }, RULES);
    return [code, reason];
  };
  for (const rest of ['bis 11 Uhr', 'until 11', 'tot 11:30', 'till 9pm', '9am'])
    assert.equal(told(rest)[0], 'BOOKING', rest);
  for (const [rest, code] of [
    ['part 2', '2'],
    ['deel 2', '2'],
    ['visit 3', '3'],
    ['- 02', '02'],
  ] as const) {
    assert.equal(told(rest)[0], 'TITLE_GOES_ON', rest);
    assert.match(told(rest)[1], new RegExp(`“${code}”`, 'u'));
  }
});

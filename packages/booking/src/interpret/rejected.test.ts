/** Every rejection has a code, a sentence that tells the booker what to change, and a correct example. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from '../pattern/pattern.ts';
import { REJECT_CODES, type Outcome } from './outcome.ts';
import { judge, lines } from '@scanflow/testkit/events';
import type { ProjectRule } from './projects.ts';

const LETTERS = { characters: 'letters', patterns: {} } as const;
const SLOW = compilePattern('^(?!x)(?<project>(?:\\w+[- ]?)+) (?<subject>sub-\\d+)$');
const day = (text: string): Temporal.PlainDate => Temporal.PlainDate.from(text);
const ofProject = (rule: ProjectRule): Outcome => judge({}, { projects: new Map([['3010000.01', rule]]) });

test('rejected: every code there is tells what to change, with an example of how it is right', () => {
  const scanner = {
    by: 'location',
    map: { 'Room 1': 'prisma', 'Room 2': 'skyra' },
    otherwise: 'reject',
  } as const;
  const cases: Readonly<Record<(typeof REJECT_CODES)[number], Outcome>> = {
    CONTRADICTION: judge({ description: 'Subject: sub-002' }),
    ID_TOO_LONG: judge(lines('p'.repeat(40), `s${'1'.repeat(40)}`, '1')),
    INCOMPLETE: judge({ summary: 'x', description: 'Project: 3010000.01\nSubject: sub-001' }),
    LABEL_CHARACTERS: judge(lines('../1', 's1', '1')),
    LABEL_FORM: judge({}, { labels: { characters: 'ascii', patterns: { project: /^\d{6}$/u } } }),
    LABEL_LOOKALIKE: judge(lines('3010000.01', 's٣', '1'), { labels: LETTERS }),
    LABEL_RESERVED: judge(lines('scanflow-reports', 's1', '1')),
    LABEL_TOO_LONG: judge(lines('1', 's1', 'a'.repeat(65))),
    LETTER_O: judge(lines('1', 'sub-0O1', '1')),
    NO_DETAILS: judge({ summary: 'Busy' }),
    NO_LABELS: judge({ summary: 'scan' }),
    PATTERN_SLOW: judge({ summary: `${'a'.repeat(40)}!` }, { patterns: [SLOW] }),
    PRIVATE_REFUSED: judge({ class: 'PRIVATE' }, { private: 'reject' }),
    PROJECT_ENDED: ofProject({ until: day('2026-11-22') }),
    PROJECT_NOT_HERE: ofProject({ scanners: ['skyra'] }),
    PROJECT_NOT_YET: ofProject({ from: day('2026-11-24') }),
    PROJECT_NOT_YOURS: ofProject({ bookers: ['lab.example.org'] }),
    PROJECT_UNKNOWN: judge({}, { projects: new Map([['3010000.02', {}]]) }),
    SCANNER_AMBIGUOUS: judge({ location: 'Room 1; Room 2' }, { scanner }),
    SCANNER_UNKNOWN: judge({ location: 'Canteen' }, { scanner }),
    SUBJECT_NO_CODE: judge(lines('1', 'Jane Doe', '1')),
    SUBJECT_OPEN: judge(lines('1', 'tba', '1')),
    TENTATIVE_REFUSED: judge({ status: 'TENTATIVE' }, { tentative: 'reject' }),
    TITLE_FORM: judge({ summary: 'sub-001 ses-mri01 3010000.01' }),
    TWO_LABELS: judge({ summary: '3010000.01 sub-001 ses-mri01 ses-mri02' }),
    TWO_SUBJECTS: judge(lines('1', 'sub-001, sub-002', '1')),
  };
  for (const code of REJECT_CODES) {
    const { outcome, reason, code: given } = cases[code];
    assert.deepEqual([outcome, given], ['rejected', code]);
    // a sentence, an order to the booker, and the example in quotation marks
    assert.match(reason, /^[A-Z].*\.$/u);
    assert.match(reason, /\b(?:Make|Use|Add|Write|Type|Share|Choose|Check|Confirm|make)\b/u, code);
    assert.match(reason, /“[^”]+”/u, code);
  }
});

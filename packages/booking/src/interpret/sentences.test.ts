import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '@scanflow/testkit/events';

const reason = (title: string, description: string): string => {
  const outcome = judge({ summary: title, description });
  assert.equal(outcome.code, 'CONTRADICTION', description);
  return outcome.reason;
};
const TITLE = '3010000.01 sub-001 ses-mri01';

test('contradiction: names of people are not repeated, with digits neither', () => {
  for (const name of ['Jan Jansen', 'Jansen', 'Jansen1980', 'jan.jansen2', 'Jan2', 'J_Jansen_01'])
    for (const label of ['Project', 'Subject', 'Session'])
      assert.doesNotMatch(reason(TITLE, `${label}: ${name}`), /jan/iu, name);
  assert.match(reason('x', 'Subject: Jan Jansen\nSubject: Piet'), /the line “Subject: …”/u);
});

test('contradiction: the advice offers the two values and no other', () => {
  const said = reason(TITLE, 'Subject: sub-002');
  assert.match(said, /“Subject: sub-002” or “Subject: sub-001”/u);
  const third = reason('3010000.01 sub-007 ses-mri01', 'Subject: sub-008');
  assert.doesNotMatch(third, /sub-001/u);
});

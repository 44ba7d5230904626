/** Lists of projects as facilities keep them, and what is none; who may book what, where and when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { event, judge } from '@scanflow/testkit/events';
import { interpret } from './interpret.ts';
import { rules } from '@scanflow/testkit/events';
import { parseProjects, type ProjectRule } from './projects.ts';

const names = (text: string): string[] | undefined => {
  const parsed = parseProjects(text);
  return parsed.ok ? [...parsed.projects.keys()] : undefined;
};

test('projects: one a line with comments, in any line ends, or a JSON array', () => {
  assert.deepEqual(names('\ufeff# ours\r\n3010000.01\r\n\r\nP7 # since May\r\nA#1\n'), [
    '3010000.01',
    'P7',
    'A#1',
  ]);
  assert.deepEqual(names(' ["3010000.01", " P7 ", ""] '), ['3010000.01', 'P7']);
});

test('projects: an empty list, a page of HTML and broken JSON are no list, so that they refuse nobody', () => {
  for (const text of [
    '',
    '# nothing yet\n',
    '<!doctype html>\n<p>Log in</p>',
    '["a", 1]',
    '["a"',
    '{}x'.repeat(40),
  ])
    assert.equal(names(text), undefined, text);
});

test('projects: objects say who may book, where and when; a mistake in one makes it no list', () => {
  const text = JSON.stringify([
    '3010000.01',
    {
      project: '3010000.02',
      bookers: ['Jane@Example.org', '@lab.example.org'],
      scanners: ['prisma'],
      from: '2026-01-31',
      until: '2026-12-31',
    },
  ]);
  const parsed = parseProjects(text);
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.projects.get('3010000.01'), {});
  const { from, until, ...rule } = parsed.projects.get('3010000.02') ?? {};
  assert.deepEqual(rule, { bookers: ['jane@example.org', 'lab.example.org'], scanners: ['prisma'] });
  assert.deepEqual([from?.toString(), until?.toString()], ['2026-01-31', '2026-12-31']);
  for (const [entry, problem] of [
    ['{"name": "a"}', /Entry 1 .* lacks project/],
    ['{"project": "a", "booker": ["b@c.d"]}', /another key/],
    ['{"project": "a", "bookers": "b@c.d"}', /no list of texts/],
    ['{"project": "a", "until": "31.12.2026"}', /2026-12-31/],
    ['{"project": "a", "until": "2026-02-30"}', /2026-12-31/],
    ['{"project": "a", "until": "2026-02-20"}, "a"', /twice/],
  ] as const) {
    const refused = parseProjects(`[${entry}]`);
    assert.ok(!refused.ok, entry);
    assert.match(refused.problem, problem);
  }
});

const day = (text: string): Temporal.PlainDate => Temporal.PlainDate.from(text);
const by = (rule: ProjectRule, bookers?: readonly string[], own = {}): string =>
  judge(bookers === undefined ? own : { ...own, bookers }, { projects: new Map([['3010000.01', rule]]) })
    .code;

test('projects: only who may book it, by address or domain; an event without either is nobody’s', () => {
  const rule = { bookers: ['jane@example.org', 'lab.example.org'] };
  assert.equal(by(rule, ['JANE@example.org']), 'BOOKING');
  assert.equal(by(rule, ['anybody@lab.example.org']), 'BOOKING');
  for (const other of [
    'mallory@example.org',
    'a@evil-lab.example.org',
    'a@sub.lab.example.org',
    'lab.example.org@x.org',
  ])
    assert.equal(by(rule, [other]), 'PROJECT_NOT_YOURS', other);
  assert.equal(by(rule), 'PROJECT_NOT_YOURS');
  assert.equal(by({}), 'BOOKING');
  assert.equal(by({ bookers: [] }, ['jane@example.org']), 'PROJECT_NOT_YOURS');
});

test('projects: only on its scanners, and from its first to its last day in the zone of the facility', () => {
  assert.equal(by({ scanners: ['prisma'] }), 'BOOKING');
  assert.equal(by({ scanners: ['skyra'] }), 'PROJECT_NOT_HERE');
  // 23:30 in UTC is the next day in Amsterdam
  const late = {
    start: Temporal.Instant.from('2026-11-23T23:30:00Z'),
    end: Temporal.Instant.from('2026-11-24T00:30:00Z'),
  };
  assert.equal(by({ until: day('2026-11-23') }), 'BOOKING');
  assert.equal(by({ until: day('2026-11-23') }, [], late), 'PROJECT_ENDED');
  assert.equal(by({ from: day('2026-11-24') }), 'PROJECT_NOT_YET');
  assert.equal(by({ from: day('2026-11-24') }, [], late), 'BOOKING');
});

test('projects: no reason holds a name or an address of a person', () => {
  const mine = event({
    organizer: 'Mallory Smith',
    bookers: ['mallory@example.org'],
    attendees: ['Jane Doe'],
    summary: '3010000.01 sub-001 ses-mri01',
    description: 'Subject: Jane Doe',
  });
  const projects = new Map([['3010000.01', { bookers: ['owner@example.org'] }]]);
  const reasons = [
    interpret(mine, { ...rules, projects }),
    interpret({ ...mine, description: '' }, { ...rules, projects }),
  ].map(({ code, reason }) => `${code} ${reason}`);
  assert.deepEqual(
    reasons.map((reason) => reason.split(' ')[0]),
    ['CONTRADICTION', 'PROJECT_NOT_YOURS'],
  );
  assert.doesNotMatch(reasons.join(), /mallory|smith|jane|doe|owner|@/i);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStep, overStep, sendAgainAfter, type Moment, type Step } from './plan.ts';
import type { Matter, Thread } from './types.ts';

const TO = { channel: 'mail', address: 'it@example.org' };
const moment = (over: Partial<Moment> = {}): Moment => ({
  ...{ now: 10_000, quiet: false, room: 5, gatherMs: 1_000, againMs: 100_000 },
  ...over,
});
const matter = (over: Partial<Matter> = {}, ...ids: string[]): Matter => ({
  ...{ key: 'k', role: 'it', topic: 'failed', to: [TO], event: false, urgent: false, heading: 'h' },
  ...{ items: (ids.length === 0 ? ['a'] : ids).map((id) => ({ id, text: id })), more: 0, paragraphs: [] },
  ...over,
});
const thread = (over: Partial<Thread> = {}): Thread => ({
  ...{ matter: 'k', recipient: TO, topic: 'failed', role: 'it', heading: 'h', told: ['a'], since: 0 },
  ...{ gone: undefined, toldAt: 0, ...over },
});
const tell = (state: string, replaces?: string): object => ({
  kind: 'tell',
  state,
  ...(replaces === undefined ? {} : { replaces }),
});
const WAIT = { kind: 'wait' };

test('notices: what is there is told once it was gathered, and not again without news', () => {
  const fresh = thread({ told: [], toldAt: undefined, since: 9_500 });
  const cases: [string, Step, object][] = [
    ['the first look only remembers', openStep(matter(), undefined, moment()), WAIT],
    ['gathering', openStep(matter(), fresh, moment()), WAIT],
    ['gathered', openStep(matter(), fresh, moment({ now: 10_500 })), tell('new')],
    ['the clock was set back', openStep(matter(), fresh, moment({ now: 100 })), tell('new')],
    ['urgent', openStep(matter({ urgent: true }), undefined, moment()), tell('new')],
    ['an event', openStep(matter({ event: true }), undefined, moment()), tell('said')],
    ['nothing new', openStep(matter(), thread(), moment({ now: 1e12 })), { kind: 'nothing' }],
    [
      'less is no news',
      openStep(matter(), thread({ told: ['a', 'b'] }), moment({ now: 1e12 })),
      { kind: 'nothing' },
    ],
    ['news, too soon', openStep(matter({}, 'a', 'b'), thread(), moment()), WAIT],
    ['news', openStep(matter({}, 'a', 'b'), thread(), moment({ now: 100_000 })), tell('changed')],
    [
      'news of a booker come sooner',
      openStep(matter({ role: 'booker' }, 'b'), thread(), moment()),
      tell('changed'),
    ],
    ['an event that goes on', openStep(matter({ event: true }, 'b'), thread(), moment()), tell('changed')],
    ['back, nothing new', openStep(matter(), thread({ gone: 9_000 }), moment()), { kind: 'back' }],
  ];
  for (const [name, found, wanted] of cases) assert.deepEqual(found, wanted, name);
});

test('notices: quiet hours and the rate hold messages back, and nothing is lost by it', () => {
  const gathered = thread({ told: [], toldAt: undefined, since: 0 });
  for (const role of ['it', 'booker', 'project'] as const)
    for (const event of [true, false]) {
      const one = matter({ role, event });
      assert.deepEqual(openStep(one, gathered, moment({ quiet: true })), WAIT);
      assert.deepEqual(openStep(one, gathered, moment({ room: 0 })), WAIT);
      assert.deepEqual(openStep(one, gathered, moment()), tell(event ? 'said' : 'new'));
    }
  const urgent = matter({ urgent: true });
  assert.deepEqual(openStep(urgent, gathered, moment({ quiet: true })), tell('new'));
  assert.deepEqual(
    openStep(urgent, gathered, moment({ quiet: true, room: 0 })),
    WAIT,
    'urgent has its rate, too',
  );
});

test('notices: while a message waits, news goes into it; one that may have got there stays as it is', () => {
  const now = moment({ now: 100_000, room: 0 });
  const waiting = (kind: 'new' | 'changed', fixed: boolean): Thread =>
    thread({ pending: { id: 'm', kind, fixed } });
  assert.deepEqual(openStep(matter({}, 'a', 'b'), waiting('new', false), now), tell('new', 'm'));
  assert.deepEqual(openStep(matter({}, 'a', 'b'), waiting('changed', false), now), tell('changed', 'm'));
  assert.deepEqual(openStep(matter({}, 'a', 'b'), waiting('new', true), now), WAIT);
  assert.deepEqual(openStep(matter(), waiting('new', false), now), { kind: 'nothing' });
});

test('notices: what is over is told to who heard of it, once it stays over', () => {
  const spoken = { spoken: true, urgent: false };
  const gone = thread({ gone: 0 });
  const pending = (kind: 'new' | 'changed', fixed = false): Thread =>
    thread({ gone: 0, pending: { id: 'm', kind, fixed } });
  const cases: [string, Step, object][] = [
    ['nobody was told', overStep(thread({ told: [] }), spoken, moment()), { kind: 'forget' }],
    ['nobody needs to know', overStep(gone, { ...spoken, spoken: false }, moment()), { kind: 'forget' }],
    ['it may come back', overStep(thread(), spoken, moment()), { kind: 'gone' }],
    ['not long enough', overStep(thread({ gone: 9_500 }), spoken, moment()), WAIT],
    ['over', overStep(gone, spoken, moment()), tell('resolved')],
    ['quiet', overStep(gone, spoken, moment({ quiet: true })), WAIT],
    ['who was woken', overStep(gone, { ...spoken, urgent: true }, moment({ quiet: true })), tell('resolved')],
    ['no room', overStep(gone, spoken, moment({ room: 0 })), WAIT],
    [
      'the first message is not out',
      overStep(pending('new'), spoken, moment()),
      { kind: 'forget', withdraws: 'm' },
    ],
    [
      'a later one is not out',
      overStep(pending('changed'), spoken, moment({ room: 0 })),
      tell('resolved', 'm'),
    ],
    ['it may be out', overStep(pending('new', true), spoken, moment()), WAIT],
    [
      'withdrawn with its event',
      overStep(pending('new'), { ...spoken, spoken: false }, moment()),
      { kind: 'forget', withdraws: 'm' },
    ],
  ];
  for (const [name, found, wanted] of cases) assert.deepEqual(found, wanted, name);
});

test('notices: a message is tried for three days, ever more seldom, at most every 18 minutes', () => {
  const again = (
    attempt: number,
    ageMs: number,
    kind: 'transient' | 'permanent' | 'ambiguous' = 'transient',
  ) => sendAgainAfter(kind, { attempt, ageMs, jitter: 0.5 });
  assert.deepEqual(
    [1, 2, 3, 99].map((attempt) => again(attempt, 0)),
    [10_000, 20_000, 40_000, 900_000],
  );
  assert.equal(again(1, 0, 'ambiguous'), 10_000);
  assert.equal(again(1, 0, 'permanent'), undefined);
  assert.equal(again(500, 3 * 86_400_000 - 1), 900_000);
  assert.equal(again(500, 3 * 86_400_000), undefined);
  assert.equal(sendAgainAfter('transient', { attempt: 1, ageMs: 0, jitter: 1, askedMs: 120_000 }), 120_000);
});

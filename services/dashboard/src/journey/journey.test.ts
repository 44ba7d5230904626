import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryFacts, Facts, SessionFacts } from './facts.ts';
import { journeyOf, type Journey } from './journey.ts';
import { MINUTE, NINE, TEN, booking, leg, series, session, exam, away, failure } from './journey-kit.test.ts';
import { STEP_NAMES } from './steps.ts';

/** `understood:done worklist:done …` */
const line = ({ steps, verdict }: Journey): string =>
  `${STEP_NAMES.map((name) => steps[name].state).join(' ')} | ${verdict}`;
const at = (now: number, facts: Partial<Facts>): string => line(journeyOf({ exams: [], ...facts }, now));

const ITEM = { state: 'scheduled' } as const;
const GONE = { state: 'completed' } as const;

test('journey: from the booking to the end, each step in its turn', () => {
  assert.equal(at(NINE - 60 * MINUTE, { booking }), 'done waiting ahead ahead ahead ahead none ahead | late');
  assert.equal(
    at(NINE - MINUTE, { booking, item: ITEM }),
    'done done ahead ahead ahead ahead none ahead | ahead',
  );
  const running = exam({ state: 'IN PROGRESS', series: [] });
  const inProgress = { booking, item: { state: 'in progress' }, exams: [running] } as const;
  assert.equal(at(NINE + 6 * MINUTE, inProgress), 'done done now ahead ahead ahead none ahead | running');
  const coming = session({
    complete: false,
    series: [series({ state: 'collecting', arrived: 4, stored: 0, legs: [] })],
  });
  assert.equal(
    at(NINE + 12 * MINUTE, { ...inProgress, session: coming }),
    'done done now now ahead ahead none ahead | running',
  );
  const storing = session({
    complete: false,
    series: [series({ state: 'working', legs: [leg('storage', 'pending')] })],
  });
  const over = { booking, item: GONE, exams: [exam()] };
  assert.equal(at(TEN, { ...over, session: storing }), 'done done done done now ahead none ahead | running');
  const sending = session({
    complete: false,
    series: [series({ state: 'working', legs: [leg('storage', 'done'), leg('pacs', 'pending')] })],
  });
  assert.equal(at(TEN, { ...over, session: sending }), 'done done done done done now none ahead | running');
  assert.equal(
    at(TEN, { ...over, session: session() }),
    'done done done done done done none done | finished',
  );
});

test('journey: a slot that is over and of which nothing came is late, not done', () => {
  const facts = { booking, item: { state: 'over' } } as const;
  assert.equal(at(TEN + MINUTE, facts), 'done done waiting waiting ahead ahead none ahead | late');
});

test('journey: an exam of which no image came is late', () => {
  assert.equal(
    at(TEN, { booking, item: GONE, exams: [exam()] }),
    'done done done waiting ahead ahead none ahead | late',
  );
});

test('journey: a scanner that reports no exams has scanned as soon as images are here', () => {
  assert.equal(
    at(TEN, { booking, item: ITEM, session: session() }),
    'done done done done done done none done | finished',
  );
});

test('journey: fewer images than the scanner made need a person, and the end never looks reached', () => {
  const short = {
    booking,
    item: GONE,
    exams: [exam({ series: [{ seriesInstanceUid: '1.2.3', made: 26 }] })],
  };
  const { steps, verdict } = journeyOf({ ...short, session: session() }, TEN);
  assert.deepEqual(steps.arrived.values, { here: 20, made: 26 });
  assert.equal(steps.arrived.failure?.code, 'SERIES_INCOMPLETE');
  assert.notEqual(steps.done.state, 'done');
  assert.equal(verdict, 'attention');
});

test('journey: a series that the scanner reported and that never came counts as missing', () => {
  const two = [
    { seriesInstanceUid: '1.2.3', made: 20 },
    { seriesInstanceUid: '1.2.4', made: 5 },
  ];
  const { steps } = journeyOf({ booking, exams: [exam({ series: two })], session: session() }, TEN);
  assert.deepEqual([steps.arrived.state, steps.arrived.values], ['failed', { here: 20, made: 25 }]);
});

test('journey: rejected, skipped and cancelled events go nowhere', () => {
  const rejected = { ...booking, outcome: 'rejected', reason: failure } as const;
  assert.equal(at(NINE, { booking: rejected }), 'failed none none none none none none none | attention');
  assert.equal(
    at(NINE, { booking: { ...booking, outcome: 'skipped' } }),
    'none none none none none none none none | off',
  );
  assert.equal(
    at(NINE, { booking: { ...booking, outcome: 'cancelled' } }),
    'none none none none none none none none | off',
  );
});

test('journey: images of a booking that was cancelled meanwhile still arrive', () => {
  const cancelled = { ...booking, outcome: 'cancelled' } as const;
  assert.equal(
    at(TEN, { booking: cancelled, exams: [exam()], session: session() }),
    'none none done done done done none done | finished',
  );
});

test('journey: a quarantined series says why, and since when', () => {
  const reason = { code: 'ROUTE_NO_MATCH', message: 'No project: nothing in the images names one.' };
  const held = session({
    complete: false,
    series: [series({ state: 'quarantined', reason, legs: [], stored: 0 })],
  });
  const { steps, verdict } = journeyOf({ exams: [exam()], session: held }, TEN);
  assert.deepEqual(
    [steps.stored.state, steps.stored.failure, steps.stored.at],
    ['failed', reason, NINE + 10 * MINUTE],
  );
  assert.deepEqual([steps.understood.state, verdict], ['none', 'attention']);
});

test('journey: a destination that a person paused waits, and says so', () => {
  const paused = { by: 'anna' };
  const legs = [leg('storage', 'done'), leg('pacs', 'pending', { paused }), leg('other', 'done')];
  const waiting = session({ complete: false, series: [series({ state: 'working', legs })] });
  const { sent } = journeyOf({ booking, item: GONE, exams: [exam()], session: waiting }, TEN).steps;
  assert.deepEqual([sent.state, sent.text, sent.values], ['waiting', 'sent.paused', { targets: 'pacs' }]);
});

test('journey: a destination that does not answer waits, one that refused needs a person', () => {
  const nextTry = TEN + 4 * MINUTE;
  const waits = leg('pacs', 'pending', { attempts: 3, failure, nextTry });
  const waiting = session({
    complete: false,
    series: [series({ state: 'working', legs: [leg('storage', 'done'), waits] })],
  });
  const { steps, verdict } = journeyOf({ booking, item: GONE, exams: [exam()], session: waiting }, TEN);
  assert.deepEqual(
    [steps.sent.state, steps.sent.at, steps.sent.values, verdict],
    ['waiting', nextTry, { targets: 'pacs' }, 'late'],
  );
  const refused = session({
    complete: false,
    series: [series({ state: 'failed', legs: [leg('storage', 'done'), leg('pacs', 'failed', { failure })] })],
  });
  const after = journeyOf({ booking, item: GONE, exams: [exam()], session: refused }, TEN);
  assert.deepEqual(
    [after.steps.sent.state, after.steps.sent.failure, after.verdict],
    ['failed', failure, 'attention'],
  );
});

test('journey: hooks are the last step: they run, fail, or are done', () => {
  const hook = (state: DeliveryFacts['state'], more = {}): Facts => ({
    booking,
    exams: [exam()],
    session: session({ deliveries: [{ hook: 'bids', state, ...more }] }),
  });
  assert.equal(journeyOf(hook('pending'), TEN).steps.done.state, 'now');
  assert.equal(journeyOf(hook('pending', { failure }), TEN).steps.done.state, 'waiting');
  assert.deepEqual(journeyOf(hook('failed', { failure }), TEN).steps.done.failure, failure);
  assert.equal(journeyOf(hook('done'), TEN).steps.done.state, 'done');
});

test('journey: a BIDS dataset with errors is no success, although its delivery is done', () => {
  const facts: Facts = {
    booking,
    exams: [exam()],
    session: session({
      deliveries: [{ hook: 'bids', state: 'done' }],
      bids: { became: 'invalid', count: 2 },
    }),
  };
  const { steps, verdict } = journeyOf(facts, TEN);
  assert.deepEqual([steps.bids.state, steps.bids.text, verdict], ['failed', 'bids.invalid', 'attention']);
  assert.equal(steps.done.state, 'ahead');
});

test('journey: BIDS is ahead until the session is complete, then waiting, valid, lacking, failed, or not applicable', () => {
  const became = (bids: SessionFacts['bids'], complete = true): string => {
    const { steps, verdict } = journeyOf(
      {
        ...{ booking, exams: [exam()], converts: true },
        session: session({
          ...{ complete, deliveries: [{ hook: 'bids', state: 'pending', failure }] },
          ...(bids && { bids }),
        }),
      },
      TEN,
    );
    const { state, text, values } = steps.bids;
    return `${state} ${text}${values === undefined ? '' : ` ${values['count']}`} | ${verdict}`;
  };
  assert.match(became(undefined, false), /^ahead bids\.ahead/);
  assert.match(became(undefined), /^none bids\.none/, 'stored before BIDS was switched on');
  assert.equal(became({ became: 'waiting' }), 'now bids.waiting | running');
  assert.equal(became({ became: 'waiting', failure, at: TEN }), 'waiting bids.waiting | late');
  assert.equal(became({ became: 'valid' }), 'done bids.valid | finished');
  assert.equal(became({ became: 'lacking', count: 1 }), 'failed bids.lackingOne 1 | attention');
  assert.equal(became({ became: 'failed', failure }), 'failed bids.failed | attention');
  const { bids } = journeyOf({ booking, exams: [], session: away, converts: true }, TEN).steps;
  assert.deepEqual([bids.state, bids.at], ['unknown', away.since]);
});

test('journey: the wrong item of the worklist was not scanned', () => {
  const wrong = exam({ state: 'DISCONTINUED', wrongItem: true, series: [] });
  assert.equal(
    at(NINE, { booking, item: ITEM, exams: [wrong] }),
    'done done ahead ahead ahead ahead none ahead | ahead',
  );
});

test('journey: an exam that was broken off, and one whose end was never reported, wait for somebody', () => {
  const off = exam({ state: 'DISCONTINUED' });
  assert.equal(journeyOf({ booking, exams: [off] }, TEN).steps.scanned.text, 'scanned.stopped');
  const endless = exam({ state: 'IN PROGRESS', stale: true });
  assert.equal(journeyOf({ booking, exams: [endless] }, TEN).steps.scanned.text, 'scanned.noEnd');
});

test('journey: a service that is away leaves its steps unknown, and says since when', () => {
  const facts = { booking, item: ITEM, exams: away, session: session() };
  const { steps, verdict } = journeyOf(facts, TEN);
  assert.deepEqual([steps.scanned.state, steps.scanned.at, verdict], ['unknown', away.since, 'unknown']);
  assert.equal(
    at(TEN, { booking: away, item: away, exams: away, session: away }),
    'unknown unknown unknown unknown unknown unknown none unknown | unknown',
  );
  assert.equal(
    at(NINE - MINUTE, { booking, item: ITEM, session: away }),
    'done done unknown unknown unknown unknown none unknown | unknown',
  );
});

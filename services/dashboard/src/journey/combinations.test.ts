import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAway, type Facts, type LegFacts, type SeriesFacts } from './facts.ts';
import { away, booking, exam, failure, leg, MINUTE, NINE, series, session, TEN } from './journey-kit.test.ts';
import { journeyOf, type Journey } from './journey.ts';

/** As the streamer derives it from the legs (docs/states.md). */
function stateOf(legs: readonly LegFacts[]): SeriesFacts['state'] {
  if (legs.some(({ state }) => state === 'pending')) return 'working';
  return legs.some(({ state }) => state === 'failed') ? 'failed' : 'complete';
}

/** Every combination of what each service can say. */
function* combinations(): Generator<{ readonly facts: Facts; readonly now: number }> {
  const bookings = [
    undefined,
    away,
    ...(['booking', 'rejected', 'skipped', 'cancelled', 'superseded'] as const).map((outcome) => ({
      ...booking,
      outcome,
    })),
  ];
  const items = [
    undefined,
    away,
    ...(['scheduled', 'in progress', 'completed', 'discontinued', 'over'] as const).map((state) => ({
      state,
    })),
  ];
  const exams = [
    [],
    away,
    ...(['IN PROGRESS', 'COMPLETED', 'DISCONTINUED'] as const).flatMap((state) =>
      [0, 20, 26].map((made) => [exam({ state, series: [{ seriesInstanceUid: '1.2.3', made }] })]),
    ),
    [exam({ state: 'DISCONTINUED', wrongItem: true, series: [] })],
    [exam({ state: 'IN PROGRESS', stale: true, series: [] })],
  ];
  const legs = (['pending', 'done', 'failed'] as const).flatMap((storage) =>
    [undefined, 'pending', 'done', 'failed'].map((pacs) => [
      leg('storage', storage),
      ...(pacs === undefined
        ? []
        : [leg('pacs', pacs as LegFacts['state'], pacs === 'pending' ? { attempts: 1, failure } : {})]),
    ]),
  );
  const oneSeries = [
    series({ state: 'collecting', legs: [] }),
    series({ state: 'quarantined', legs: [] }),
    ...legs.map((some) =>
      series({
        legs: some,
        state: stateOf(some),
      }),
    ),
  ];
  const deliveries = [
    [],
    ...(['pending', 'done', 'failed'] as const).map((state) => [{ hook: 'bids', state }]),
  ];
  const sessions = [
    undefined,
    away,
    ...oneSeries.flatMap((one) =>
      deliveries.flatMap((some) =>
        [true, false].map((complete) => session({ series: [one], deliveries: some, complete })),
      ),
    ),
    ...oneSeries.map((one) =>
      session({
        series: [one],
        deliveries: [{ hook: 'bids', state: 'done' }],
        complete: true,
        bids: { became: 'invalid', count: 1 },
      }),
    ),
  ];
  for (const one of bookings)
    for (const item of items)
      for (const some of exams)
        for (const images of sessions)
          for (const now of [NINE - MINUTE, NINE + MINUTE, TEN + MINUTE])
            yield {
              now,
              facts: {
                exams: some,
                ...(one && { booking: one }),
                ...(item && { item }),
                ...(images && { session: images }),
              },
            };
}

/** What must have been seen before a journey may be called finished. */
function assertWhole({ session: images, exams }: Facts, steps: Journey['steps'], seen: string): void {
  assert.ok(images !== undefined && !isAway(images), seen);
  assert.ok(images.bids === undefined || images.bids.became === 'valid', seen);
  assert.ok(images.complete && images.series.every(({ state }) => state === 'complete'), seen);
  assert.ok(!isAway(exams) && exams.every(({ state }) => state !== 'IN PROGRESS'), seen);
  assert.ok((steps.arrived.values?.['here'] ?? 0) >= (steps.arrived.values?.['made'] ?? 0), seen);
  assert.ok(
    images.deliveries.every(({ state }) => state === 'done'),
    seen,
  );
}

test('journey: in every combination, what is finished was seen whole, and a part that is away is never guessed', () => {
  let count = 0;
  const reached = new Set<string>();
  for (const { facts, now } of combinations()) {
    const { steps, verdict } = journeyOf(facts, now);
    count += 1;
    reached.add(verdict);
    const seen = JSON.stringify({ facts, now, steps, verdict });
    const images = facts.session === undefined || isAway(facts.session) ? undefined : facts.session;
    if (verdict === 'finished') assertWhole(facts, steps, seen);
    if (steps.done.state === 'done') assert.equal(verdict, 'finished', seen);
    if (images === undefined) assert.notEqual(verdict, 'finished', seen);
    if (isAway(facts.session)) assert.equal(steps.stored.state, 'unknown', seen);
    if (isAway(facts.exams)) assert.equal(steps.scanned.state, 'unknown', seen);
    if (verdict === 'attention')
      assert.ok(
        Object.values(steps).some(({ state }) => state === 'failed'),
        seen,
      );
  }
  assert.ok(count > 50_000, `${count} combinations`);
  assert.deepEqual([...reached].sort(), [
    'ahead',
    'attention',
    'finished',
    'late',
    'off',
    'running',
    'unknown',
  ]);
});

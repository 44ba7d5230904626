/** A reporter of node:test that says at the end, in capitals, what was not run and why. */
import type { TestEvent } from 'node:test/reporters';

export default async function* notRun(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const skipped: string[] = [];
  let passed = 0;
  let failed = 0;
  for await (const { type, data } of events) {
    if (type === 'test:fail') failed += 1;
    if (type !== 'test:pass') continue;
    if (data.skip === undefined || data.skip === false) passed += 1;
    else skipped.push(`  ${data.name}: ${data.skip === true ? 'no reason given' : data.skip}`.toUpperCase());
  }
  const ran = `${passed} TESTS PASSED${failed > 0 ? `, ${failed} FAILED` : ''}`;
  yield skipped.length === 0
    ? `\nALL OF IT WAS RUN: ${ran}, NONE WAS SKIPPED\n`
    : `\n${ran}. NOT RUN ON THIS MACHINE: ${skipped.length} TESTS\n${skipped.join('\n')}\n`;
}

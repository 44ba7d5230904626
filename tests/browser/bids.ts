/** BIDS on the day board, in the suite that has a whole Scanflow and a browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { assertAccessible, isTooWide } from './browser.ts';
import { planNow, resultOf, type FakeBids } from './fake-bids.ts';
import type { Board } from './stack.ts';

const HOSTILE = '"><img src=x onerror=alert(1)>';
const SEEN_MS = 5_000;

export interface OfSuite {
  readonly board: Board;
  readonly bids: FakeBids;
  readonly browser: Browser;
  readonly context: BrowserContext;
  /** Signed in as facility IT; shows the day. */
  readonly page: Page;
}

/** Registers the tests. `labels`: of a session that is complete. */
export function testBids(of: () => OfSuite, labels: string): void {
  test('bids: the day says that the session is valid; its page has verdict and plan, and converts again after the diff', async () => {
    const { bids, browser, context, page } = of();
    const row = page.locator('.row', { hasText: labels });
    await row.locator('.step.done', { hasText: 'BIDS valid' }).waitFor({ timeout: SEEN_MS });
    bids.plan = (request) => planNow(request, 'T2w', 'T1w');
    const issue = { message: HOSTILE, count: 2, files: ['sub-001/note.txt'] };
    bids.verdict = () => ({
      ok: true,
      result: resultOf({
        ...{ state: 'kept aside', verdict: 'invalid', errorCount: 1, warningCount: 1 },
        errors: [{ code: 'NOT_INCLUDED', ...issue }],
        warnings: [{ code: 'README_FILE_SMALL', ...issue }],
      }),
    });
    await row.getByRole('link').first().click();
    const section = page.getByRole('region', { name: 'BIDS' });
    await section.getByText('by ReproIn').waitFor();
    await section.getByText('0 added, 0 removed, 1 renamed, 0 the same').waitFor();
    await section.getByRole('link', { name: 'Convert again' }).click();
    await page.getByRole('heading', { name: 'Convert this session to BIDS again?' }).waitFor();
    await page.getByRole('row', { name: /renamed.*_T1w.*_T2w/ }).waitFor();
    await assertAccessible(page, 'the diff of a plan');
    const before = bids.deliveries.length;
    await page.getByRole('button', { name: 'Convert again' }).click();
    await page.getByText('The bids service converts the session again next.').waitFor();
    await section.getByText('invalid (1 error, 1 warning)').waitFor({ timeout: 10_000 });
    assert.equal(bids.deliveries.length, before + 1);
    await section.getByText('NOT_INCLUDED').waitFor();
    await section.getByRole('heading', { name: '1 warning' }).waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1280, 360]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await assertAccessible(page, `a session with BIDS ${colorScheme} ${width}`);
        assert.equal(await isTooWide(page), false, `a session with BIDS at ${width}`);
      }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
    const plain = await browser.newContext({
      javaScriptEnabled: false,
      storageState: await context.storageState(),
    });
    const bare = await plain.newPage();
    await bare.goto(page.url());
    await bare.getByRole('link', { name: 'Convert again' }).click();
    await bare.getByRole('button', { name: 'Convert again' }).waitFor();
    await plain.close();
  });

  test('bids: a service that hangs costs a sentence, and the rest of the page and the day stand', async () => {
    const { board, bids, page } = of();
    const row = page.locator('.row', { hasText: labels });
    bids.plan = undefined;
    await page.reload();
    const section = page.getByRole('region', { name: 'BIDS' });
    await section
      .getByText('There is no plan now. The bids service gives no plan')
      .waitFor({ timeout: 15_000 });
    await page.getByRole('region', { name: 'Time line' }).waitFor();
    const began = performance.now();
    await page.reload();
    await section.getByText('There is no plan now.').waitFor();
    assert.ok(performance.now() - began < 2_500, 'nobody waits for it again at once');
    bids.plan = (request) => planNow(request, 'T1w', 'T1w');
    bids.verdict = () => ({ ok: true, result: resultOf() });
    await page.goto(board.url);
    await row.locator('.step.failed', { hasText: 'BIDS: 1 error' }).waitFor();
    await row.getByText('so the dataset did not change').waitFor();
    assert.match(await page.locator('.needs-you').innerText(), /BIDS has 1 error/);
  });
}

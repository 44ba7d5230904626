/** Debian's Chromium, driven by playwright-core, for the tests of the day board. */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import axe, { type AxeResults } from 'axe-core';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** Why the tests of the browser cannot run here; undefined where they can. */
export const whyNoBrowser = (): Promise<string | undefined> =>
  access(CHROMIUM).then(
    () => undefined,
    () => 'Chromium is not installed: apt-get install chromium',
  );

export async function openBrowser(t: Pick<TestContext, 'after'>): Promise<Browser> {
  // root has no sandbox, and containers have little shared memory
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  t.after(() => browser.close());
  return browser;
}

export const PASSWORD = 'correct horse battery';

/** Follows a one-time link, sets the password, and is signed in. What the page complains about is in `problems`. */
export async function signInBy(
  link: string,
  context: BrowserContext,
): Promise<{ readonly page: Page; readonly problems: string[] }> {
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('dialog', (dialog) => {
    problems.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(link);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set password and sign in' }).click();
  await page.waitForURL(/\/$/);
  return { page, problems };
}

/** Fails with what axe-core finds on the page (WCAG 2.2 A and AA, and its best practices). */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map(({ html }) => html).join('\n  ')}`,
  );
  assert.deepEqual(found, [], `axe-core on ${what}`);
}

/** Whether the page is wider than the window. */
export const isTooWide = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

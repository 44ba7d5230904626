/**
 * Who may do what on the board, in Debian's Chromium: signing in at an identity provider, and the pages of people by keyboard.
 * The tests are part of another suite, so that they share its Scanflow.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { CLIENT, makeProvider, type TestProvider } from '../integration/identity-provider.ts';
import { assertAccessible, isTooWide, PASSWORD } from './browser.ts';
import type { Board } from './stack.ts';

/** Groups of the provider, and what they open. */
const ROLES = { it: ['admins'], operator: ['console'] };
const PROJECTS = String.raw`^mri-(?<project>\d{7}\.\d{2})$`;

/** An identity provider, and the keys by which the board knows it. */
export async function provide(
  folder: string,
): Promise<{ readonly provider: TestProvider; readonly change: [string[], unknown] }> {
  const secretFile = join(folder, 'oidc-secret');
  await writeFile(secretFile, CLIENT.secret);
  const provider = await makeProvider();
  const { issuer } = provider;
  const oidc = { issuer, name: 'Example account', clientId: CLIENT.clientId, secretFile };
  return {
    provider,
    change: [['dashboard', 'oidc'], { ...oidc, roles: ROLES, projectPattern: PROJECTS }],
  };
}

/** Booked by somebody who sees no project of it. */
export const OWN = { summary: '3010000.08 sub-031 ses-mr01', organizer: 'Lena@example.org' };
export const REFUSED = { summary: 'lena has a question', organizer: 'lena@example.org' };

interface Place {
  readonly board: Board;
  readonly browser: Browser;
  readonly provider: TestProvider;
  /** Of an administrator. */
  readonly page: Page;
  /** The ID of a series that is stored under a project. */
  readonly storedUnder: (project: string) => Promise<string>;
}

export function addPeopleTests(place: () => Place): void {
  test('OpenID Connect: a member sees their project and what they booked; the page of another project is not there', async () => {
    const { provider, storedUnder } = place();
    provider.accounts.set('lena', {
      groups: ['mri-3010000.05'],
      ...{ email: 'lena@example.org', email_verified: true },
    });
    const { page, status, close } = await signedInAs('lena', place());
    const row = (text: string) => page.locator('.row', { hasText: text });
    await row('3010000.08 · sub-031 · ses-mr01').waitFor({ timeout: 15_000 });
    await row(REFUSED.summary).locator('.say.bad').waitFor();
    assert.equal(await row('3010000.01 ·').count(), 0);
    assert.equal(await status('/bookings'), 200);
    await page.getByText(REFUSED.summary).first().waitFor();
    assert.doesNotMatch((await page.locator('main').textContent()) ?? '', /@example|3010000\.01 ·/);
    assert.equal(await status(`/session/${await storedUnder('3010000.05')}`), 200);
    assert.equal(await status(`/session/${await storedUnder('3010000.01')}`), 404);
    for (const path of ['/health', '/users']) assert.equal(await status(path), 403, path);
    await close();
  });

  test('OpenID Connect: an operator sees every project, and changes nobody’s role', async () => {
    const { board, provider, storedUnder } = place();
    provider.accounts.set('oscar', { groups: ['console', 'mri-3010000.05'] });
    const { page, status, close } = await signedInAs('oscar', place());
    for (const project of ['3010000.05', '3010000.01'])
      assert.equal(await status(`/session/${await storedUnder(project)}`), 200, project);
    assert.deepEqual([await status('/health'), await status('/users')], [200, 403]);
    await page.goto(board.url);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(/\/signed-out$/);
    await assertAccessible(page, 'signed out');
    await close();
  });

  test('users: a user is added, and removed, by keyboard alone', async () => {
    const { board, page } = place();
    await page.goto(board.url);
    await tabTo(page, 'admin');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your account' }).waitFor();
    await tabTo(page, 'Users');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Users', exact: true }).waitFor();
    await assertGood(page, 'users');
    await tabTo(page, 'name');
    await page.keyboard.type('kim');
    for (const key of ['Tab', 'o', 'Tab']) await page.keyboard.press(key);
    await page.keyboard.type('3010000.01');
    for (const key of ['Tab', 'Enter']) await page.keyboard.press(key);
    await page.getByRole('heading', { name: 'A link for kim' }).waitFor();
    assert.match((await page.locator('#link').textContent()) ?? '', /\/invite\//);
    await tabTo(page, 'Back to users');
    await page.keyboard.press('Enter');
    assert.equal(await page.getByLabel('Role: kim').inputValue(), 'operator');
    await tabTo(page, 'Remove: kim');
    await page.keyboard.press('Space');
    await page.getByRole('heading', { name: 'Remove kim?' }).waitFor();
    await tabTo(page, 'Remove');
    await page.keyboard.press('Enter');
    await page.getByText('Removed.').waitFor();
    assert.equal(await page.getByLabel('Role: kim').count(), 0);
  });

  test('account: a password is changed, and everything signed out, by keyboard alone', async () => {
    const { board, page } = place();
    const change = async (current: string): Promise<void> => {
      await tabTo(page, 'current');
      await page.keyboard.type(current);
      await page.keyboard.press('Tab');
      await page.keyboard.type(`another ${PASSWORD}`);
      await page.keyboard.press('Enter');
    };
    await page.goto(`${board.url}/account`);
    await assertGood(page, 'account');
    await change('not the password');
    await page.getByRole('alert').getByText('The current password is wrong.').waitFor();
    await change(PASSWORD);
    await page.getByText('Your password is changed.').waitFor();
    await tabTo(page, 'Sign out everywhere');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => !url.pathname.startsWith('/account'));
    await page.goto(board.url);
    assert.match(page.url(), /\/sign-in\?next=/);
  });
}

/** By a click on the board's button, and the provider's own form. */
async function signedInAs(login: string, { board, browser }: Place) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(board.url);
  await page.getByRole('link', { name: 'Sign in with Example account' }).click();
  await page.locator('[name=login]').fill(login);
  await page.locator('[name=password]').fill('any');
  await page.locator('[type=submit]').click();
  await page.getByRole('link', { name: login, exact: true }).waitFor();
  return {
    page,
    status: async (path: string) => (await page.goto(`${board.url}${path}`))?.status(),
    close: () => context.close(),
  };
}

/** Lighter than a person's patience. */
const MOST_TABS = 60;

/** Presses Tab up to the link, button or field of that name. The focus shows at each stop. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let pressed = 0; pressed < MOST_TABS; pressed += 1) {
    await page.keyboard.press('Tab');
    const [seen, ...names] = await page.evaluate<[boolean, ...(string | null)[]]>(`(() => {
      const one = document.activeElement;
      const { outlineStyle, boxShadow } = getComputedStyle(one);
      const shows = one === document.body || outlineStyle !== 'none' || boxShadow !== 'none';
      return [shows, one.getAttribute('aria-label') ?? one.textContent.trim(), one.getAttribute('name')];
    })()`);
    assert.ok(seen, `the focus shows on ${names.join(' ')}`);
    if (names.includes(name)) return;
  }
  assert.fail(`Tab leads to no ${name}`);
}

/** No finding of axe-core in light and dark, and nothing too wide on a telephone. */
async function assertGood(page: Page, what: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await assertAccessible(page, `${what} ${colorScheme}`);
  }
  await page.setViewportSize({ width: 360, height: 800 });
  assert.equal(await isTooWide(page), false, `${what} at 360`);
  await page.setViewportSize({ width: 1280, height: 800 });
}

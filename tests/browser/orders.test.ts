/** What facility IT does on the board, in Debian's Chromium on a whole Scanflow: pause and resume, skip, move, release. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { dataSet } from '@scanflow/dicom';
import { freePort, startStorescp, until } from '@scanflow/testkit';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { assertAccessible, isTooWide, openBrowser, signInBy, whyNoBrowser } from './browser.ts';
import { addPeopleTests, OWN, provide, REFUSED } from './people.ts';
import { startBoard, type Board } from './stack.ts';

const NO_BROWSER = await whyNoBrowser();
const WITHIN = { timeoutMs: 60_000, everyMs: 100 };
const BANNER = /archive is paused since (?:\d+ \w+ )?\d\d:\d\d by admin: it is updated\./;

interface Leg {
  readonly target: string;
  readonly state: string;
  readonly path?: string;
  readonly failure?: { readonly code: string };
  readonly paused?: object;
}

interface Series {
  readonly id: string;
  readonly state: string;
  readonly seriesDescription: string;
  readonly legs: readonly Leg[];
}

suite('orders on the day board', { skip: NO_BROWSER ?? false }, () => {
  const endings: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => endings.push(end) } as unknown as Parameters<
    typeof startBoard
  >[0];
  let board: Board;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let problems: string[];
  let port: number;
  let provider: Awaited<ReturnType<typeof provide>>['provider'];

  before(async () => {
    port = await freePort();
    const identity = await provide(await folderFor(t));
    ({ provider } = identity);
    endings.push(() => provider.stop());
    board = await startBoard(t, 1, [
      [['destinations', 'archive'], { host: '127.0.0.1', port, aet: 'ARCHIVE' }],
      [['hooks'], { report: { on: ['stored'], command: ['/bin/false'], retries: 0 } }],
      identity.change,
    ]);
    await provider.serve(board.url);
    await board.book([OWN, REFUSED]);
    browser = await openBrowser(t);
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    ({ page, problems } = await signInBy(await board.invite(), context));
  });
  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  const goto = (path: string) => page.goto(`${board.url}${path}`);
  const called = (description: string, good: (series: Series) => boolean, what: string): Promise<Series> =>
    until(
      async () => {
        const { series } = (await board.ask('/api/series')) as { series: Series[] };
        return series.find((one) => one.seriesDescription === description && good(one));
      },
      { what, ...WITHIN },
    );
  const leg = ({ legs }: Series, name: string) => legs.find(({ target }) => target === name);
  const send = (description: string, patientId: string) =>
    board.sendStray({
      images: 2,
      patientId,
      seriesDescription: description,
      worklistItem: dataSet({ RequestedProcedureID: 'ses-mr01' }),
    });
  const banner = () => page.locator('.banner');

  test('a destination is down, which shows; paused, every page says so; resumed, what waited is sent', async () => {
    await send('t1', '3010000.01_sub-001');
    await called('t1', (one) => leg(one, 'archive')?.failure !== undefined, 'the destination is down');
    await goto('/series?target=archive&leg=waits');
    await page.getByRole('heading', { name: /^1 series/ }).waitFor();
    await page.getByText('Pause a destination').click();
    await page
      .locator('form[action="/destinations/pause"]')
      .getByLabel('Destination')
      .selectOption('archive');
    await page.locator('form[action="/destinations/pause"]').getByLabel('Reason').fill('it is updated');
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByText('A series that is being sent now').first().waitFor();
    for (const path of ['/', '/series', '/bookings', '/health']) {
      await goto(path);
      assert.match((await banner().textContent()) ?? '', BANNER, path);
      assert.match((await banner().textContent()) ?? '', /1 series waits\./, path);
    }
    await goto('/series?target=archive&leg=paused');
    await page.getByRole('heading', { name: /^1 series/ }).waitFor();
    const archive = await startStorescp({ folder: await folderFor(t), aet: 'ARCHIVE', port });
    endings.push(() => archive.stop());
    await send('t2', '3010000.01_sub-001');
    const second = await called(
      't2',
      (one) => leg(one, 'pacs')?.state === 'done',
      'other destinations go on',
    );
    assert.equal(leg(second, 'archive')?.state, 'pending');
    assert.deepEqual(await archive.files(), [], 'nothing is sent while it is paused');
    await banner().getByText('2 series wait.').waitFor({ timeout: 10_000 });
    await page.getByRole('button', { name: 'Resume archive' }).click();
    await page.getByText('Resumed. What waits is sent now.').waitFor();
    assert.equal(await banner().count(), 0);
    for (const name of ['t1', 't2'])
      await called(name, (one) => leg(one, 'archive')?.state === 'done', 'what waited is sent');
    assert.equal((await archive.files()).length, 4);
  });

  test('a hook that failed is skipped, and the time line says who did it', async () => {
    const { id } = await called('t1', ({ state }) => state === 'complete', 'it is sent');
    await goto(`/session/${id}`);
    await page.getByRole('button', { name: 'Skip report' }).first().click();
    await page.getByText('The hook is skipped.').waitFor();
    const line = page.getByRole('region', { name: 'Time line' });
    await line.getByText(/^admin: skip .*t[12]$/).waitFor();
    await line.getByText(/^hook report for .*t[12]: skipped$/).waitFor();
    await line.getByText('admin pauses archive: it is updated').waitFor();
    await assertAccessible(page, 'session');
  });

  test('a stored series is moved to the path that the preview showed; the reason stays with it', async () => {
    const { id, legs } = await called('t1', ({ state }) => state === 'complete', 'it is stored');
    await goto(`/session/${id}`);
    const card = page.locator(`#series-${id}`);
    await card.getByText('Move to another project').click();
    for (const [label, value] of Object.entries({
      ...{ Project: '3010000.05', Subject: 'sub-042', Session: 'ses-mr01' },
      Reason: 'booked under the wrong project',
    }))
      await card.getByLabel(label, { exact: true }).fill(value);
    await card.getByRole('button', { name: 'Show where it goes' }).click();
    assert.equal(
      await page.locator('#from').textContent(),
      legs.find(({ path }) => path !== undefined)?.path,
    );
    const preview = (await page.locator('#preview').textContent()) ?? '';
    assert.match(preview, /\/3010000\.05\/raw\/sub-042\/ses-mr01\//);
    await assertAccessible(page, 'preview of a move');
    await page.getByRole('button', { name: 'Move', exact: true }).click();
    await page.getByText('The streamer moves it now.').waitFor();
    await called(
      't1',
      (one) => leg(one, 'storage')?.state === 'done' && leg(one, 'storage')?.path === preview,
      'it is there',
    );
    await goto(`/session/${id}`);
    await page.getByText(/^admin moves .*: booked under the wrong project$/).waitFor();
  });

  test('a series without a project is released to the booking that fits, by one click, to the path of the preview', async () => {
    await send('lost', 'phantom SUB001');
    const { id } = await called('lost', ({ state }) => state === 'quarantined', 'nobody knows its project');
    await goto(`/session/${id}`);
    const proposed = page.locator(`#series-${id} .likely li`).first();
    assert.match((await proposed.textContent()) ?? '', /the images name the subject, scanned in its slot/);
    await assertAccessible(page, 'likely bookings');
    await proposed.getByRole('button', { name: '3010000.01 · sub-001 · ses-mr01' }).click();
    const preview = (await page.locator('#preview').textContent()) ?? '';
    await page.getByRole('button', { name: 'Release', exact: true }).click();
    await page.getByText('Released. The streamer stores it next.').waitFor();
    const stored = await called('lost', (one) => leg(one, 'storage')?.state === 'done', 'it is stored');
    assert.equal(leg(stored, 'storage')?.path, preview);
  });

  test('series: sorted by a column, found by scanner; an order of many shows each path first; nothing is too wide', async () => {
    await goto('/series?scanner=prisma');
    await page.getByRole('heading', { name: /^3 series/ }).waitFor();
    await page.getByRole('link', { name: 'Series', exact: true }).last().click();
    assert.match(page.url(), /sort=series/);
    const names = await page.locator('tbody tr td:nth-child(3)').allTextContents();
    assert.deepEqual(names, names.toSorted());
    await page.getByText('Do something with all 3 series').click();
    const form = page.locator('form[action="/series/many"]');
    await form.locator('[name=action]').selectOption('move');
    for (const [label, value] of Object.entries({
      'To project': '3010000.09',
      'To subject': 'sub-009',
      'To session': 'ses-mr01',
      Reason: 'x',
    }))
      await form.getByLabel(label, { exact: true }).fill(value);
    await form.getByRole('button', { name: 'Show what it would do' }).click();
    await page.getByRole('heading', { name: 'Move 3 series?' }).waitFor();
    assert.equal(await page.locator('tbody tr', { hasText: '/3010000.09/raw/sub-009/' }).count(), 3);
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1280, 360]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await assertAccessible(page, `an order of many, ${colorScheme} at ${width}`);
        assert.equal(await isTooWide(page), false);
      }
    await goto('/series');
    assert.equal(await isTooWide(page), false);
    assert.deepEqual(problems, []);
  });

  test('roles: a member and an operator see no buttons, and may act on nothing', async () => {
    for (const role of ['member', 'operator']) {
      const link = await board.invite({ name: role, role, projects: ['3010000.01'] });
      const own = await browser.newContext();
      const signed = await signInBy(link, own);
      await signed.page.goto(`${board.url}/series`);
      assert.equal(await signed.page.getByText('Pause a destination').count(), 0);
      assert.equal(await signed.page.locator('form[action="/series/many"]').count(), 0);
      for (const path of ['/destinations/pacs/pause', '/series/x/move', '/series/many']) {
        const headers = { 'sec-fetch-site': 'same-origin' };
        const answer = await own.request.post(`${board.url}${path}`, { form: { reason: 'x' }, headers });
        assert.equal(answer.status(), 403, `${role} ${path}`);
      }
      await own.close();
    }
  });

  addPeopleTests(() => ({
    ...{ board, browser, provider, page },
    storedUnder: async (project) => {
      const { series } = (await board.ask('/api/series')) as { series: Series[] };
      return series.find((one) => leg(one, 'storage')?.path?.includes(`/${project}/`))?.id ?? '';
    },
  }));
});

async function folderFor(t: { after: (end: () => unknown) => unknown }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-orders-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

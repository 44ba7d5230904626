/** The day board in Debian's Chromium, on a whole Scanflow: what people see, how soon, and what they can do. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { newUid } from '@scanflow/dicom';
import { until } from '@scanflow/testkit';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { assertAccessible, isTooWide, openBrowser, signInBy, whyNoBrowser } from './browser.ts';
import { testBids } from './bids.ts';
import { startFakeBids, type FakeBids } from './fake-bids.ts';
import { startBoard, type Board } from './stack.ts';

const NO_BROWSER = await whyNoBrowser();

/** What hostile titles, descriptions and images may hold. Each would show a dialog, or call a script, were it no text. */
const HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>';
const LABELS = '3010000.01 · sub-001 · ses-mr01';
/** The promise: seen within five seconds after it happened. */
const SEEN_MS = 5_000;

suite('the day board in a browser', { skip: NO_BROWSER ?? false }, () => {
  const endings: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => endings.push(end) } as unknown as Parameters<
    typeof startBoard
  >[0];
  let board: Board;
  let bids: FakeBids;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let problems: string[];

  before(async () => {
    bids = await startFakeBids(t);
    board = await startBoard(t, 1, [[['bids'], { url: bids.url, projects: ['3010000.01'] }]]);
    browser = await openBrowser(t);
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    ({ page, problems } = await signInBy(await board.invite(), context));
  });
  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  const row = (name: string) => page.locator('.row', { hasText: name });
  const step = (name: string, text: string) => row(name).locator('.step', { hasText: text });
  const goto = (path: string) => page.goto(`${board.url}${path}`);
  const series = async () => {
    const { series: all } = (await board.ask('/api/series')) as {
      series: { id: string; state: string; legs: { state: string; path?: string }[] }[];
    };
    return all;
  };

  test('today: the booking is there, understood and on the worklist', async () => {
    await goto('/');
    await row(LABELS).waitFor();
    assert.match((await row(LABELS).locator('.step').first().getAttribute('class')) ?? '', /done/);
    assert.match((await step(LABELS, 'worklist').last().getAttribute('class')) ?? '', /done/);
  });

  test('today: a session moves to stored and sent, each seen within 5 s after it happened, with focus kept', async () => {
    await row(LABELS).getByRole('link').focus();
    const playing = board.play(10);
    await until(async () => (await series()).some(({ state }) => state === 'complete'), {
      what: 'the series is complete',
      timeoutMs: 120_000,
      everyMs: 100,
    });
    const happened = performance.now();
    await row(LABELS).locator('.step.done', { hasText: 'sent' }).waitFor({ timeout: SEEN_MS });
    console.error(`seen ${Math.round(performance.now() - happened)} ms after it happened`);
    await row(LABELS).locator('.step.done', { hasText: 'stored' }).waitFor({ timeout: 1_000 });
    await row(LABELS).getByText('1 series, 10 images').waitFor({ timeout: 1_000 });
    assert.equal(await page.evaluate('document.activeElement.textContent'), LABELS, 'the focus stays');
    await playing;
  });

  test('today: the last step is reached, seen within 5 s after the session was complete', async () => {
    const done = row(LABELS).locator('.step').last();
    const isComplete = async (): Promise<boolean> => {
      const { sessions } = (await board.ask('/api/sessions')) as { sessions: { complete: boolean }[] };
      return sessions.some(({ complete }) => complete);
    };
    await until(isComplete, { what: 'the session is complete', timeoutMs: 60_000, everyMs: 100 });
    await until(async () => / done$/.test((await done.getAttribute('class')) ?? ''), {
      what: 'done is seen',
      timeoutMs: SEEN_MS,
      everyMs: 50,
    });
    await page.locator('svg.line .slot.finished').first().waitFor();
  });

  testBids(() => ({ board, bids, browser, context, page }), LABELS);

  test('today: a service that goes away leaves its part grey, says since when, and is fresh again', async () => {
    const streamer = board.programs.get('streamer');
    await streamer?.end();
    await row(LABELS).locator('.step.stale', { hasText: 'stored' }).waitFor({ timeout: 15_000 });
    await row(LABELS)
      .getByText(/stale since \d\d:\d\d/)
      .first()
      .waitFor();
    assert.match((await row(LABELS).locator('.step').first().getAttribute('class')) ?? '', /step done$/);
    await page.locator('.needs-you', { hasText: 'Images' }).getByText('does not answer').waitFor();
    await assertAccessible(page, 'today without a streamer');
    await streamer?.begin();
    await until(async () => (await page.locator('.stale').count()) === 0, {
      what: 'all is fresh again',
      timeoutMs: 20_000,
      everyMs: 100,
    });
    await row(LABELS).locator('.step.done', { hasText: 'stored' }).waitFor({ timeout: 1_000 });
  });

  test('today: a rejected booking says why, and hostile titles and descriptions are text', async () => {
    await board.book([
      { summary: 'tue subject Anna ses1' },
      { summary: HOSTILE, description: HOSTILE },
      { summary: `3010000.01 sub-002 ses-mri01`, description: `Operator: ${HOSTILE}` },
    ]);
    await row('tue subject Anna').waitFor({ timeout: 30_000 });
    assert.match((await row('tue subject Anna').locator('.step').first().textContent()) ?? '', /rejected/);
    assert.notEqual(await row('tue subject Anna').locator('.say.bad').textContent(), '');
    await row('onerror=alert(1)').waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
    await goto('/bookings');
    await page.getByText('onerror=alert(1)').first().waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
  });

  test('bookings: a title is tried before anybody books', async () => {
    await goto('/bookings');
    await page.getByLabel('Title').fill('3010000.02 sub-009 ses-mri02');
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('This becomes a booking: 3010000.02 · sub-009 · ses-mri02.').waitFor();
    assert.equal(page.url(), `${board.url}/bookings/try`, 'no title in the address');
    await page.getByLabel('Title').fill(HOSTILE);
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.locator('.said.bad').waitFor();
    assert.equal(await page.getByLabel('Title').inputValue(), HOSTILE);
  });

  test('quarantine: a series is released to the path that the preview showed; a form sent twice is done once', async () => {
    await board.sendStray({
      images: 3,
      patientId: 'PHANTOM',
      patientName: HOSTILE,
      studyInstanceUid: newUid(),
      seriesDescription: '<img src=x onerror=alert(3)>',
    });
    const quarantined = await until(
      async () => (await series()).find(({ state }) => state === 'quarantined'),
      {
        what: 'the series is quarantined',
        timeoutMs: 60_000,
        everyMs: 100,
      },
    );
    await goto('/series?state=quarantined');
    await page.getByRole('heading', { name: /^1 series/ }).waitFor();
    await page.locator(`#series-${quarantined.id}`).getByRole('link').click();
    await page.getByRole('heading', { name: 'onerror=alert(3)' }).waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
    for (const [label, value] of Object.entries({
      Project: '3010000.03',
      Subject: 'sub-077',
      Session: 'ses-mri01',
    }))
      await page.getByLabel(label, { exact: true }).fill(value);
    await page.getByRole('button', { name: 'Show where it goes' }).click();
    const preview = await page.locator('#preview').textContent();
    assert.match(preview ?? '', /\/3010000\.03\/raw\/sub-077\/ses-mri01\//);
    await assertAccessible(page, 'preview');
    const form = page.locator('form[action$="/release"]');
    const action = (await form.getAttribute('action')) ?? '';
    const fields = Object.fromEntries(
      await Promise.all(
        ['once', 'project', 'subject', 'session', 'back'].map(async (name) => [
          name,
          await form.locator(`[name=${name}]`).inputValue(),
        ]),
      ),
    ) as Record<string, string>;
    await page.getByRole('button', { name: 'Release', exact: true }).click();
    await page.getByText('Released. The streamer stores it next.').waitFor();
    const stored = await until(
      async () =>
        (await series())
          .find(({ id }) => id === quarantined.id)
          ?.legs.find(({ state, path }) => state === 'done' && path !== undefined)?.path,
      { what: 'it is stored', timeoutMs: 60_000, everyMs: 100 },
    );
    assert.equal(stored, preview);
    const again = await context.request.post(`${board.url}${action}`, {
      form: fields,
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    assert.match(await again.text(), /This form was sent before\. Nothing is done a second time\./);
    await goto('/health');
    await page.getByRole('row', { name: 'release' }).first().waitFor();
  });

  test('counts: what the page says equals the ledger', async () => {
    await goto('/series');
    const all = await series();
    for (const state of ['complete', 'quarantined', 'failed'])
      assert.equal(
        await page.locator(`.chips .${state} b`).textContent(),
        String(all.filter((one) => one.state === state).length),
        state,
      );
    await page.getByLabel('Accession number, Study UID or path').fill('no-such-number');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('heading', { name: 'Not found' }).waitFor();
    problems.splice(0);
  });

  test('health: a button has the service try its part, and the page says what came of it', async () => {
    await goto('/health');
    await page.getByRole('button', { name: 'Check now: Calendars' }).click();
    await page.locator('#calendars').getByText('it answers').first().waitFor({ timeout: 60_000 });
    await assertAccessible(page, 'the result of a check');
    problems.splice(0);
  });

  test('roles: a member sees their project alone; the page of another one is not there', async () => {
    const link = await board.invite({ name: 'member', role: 'member', projects: ['3010000.03'] });
    const own = await browser.newContext();
    const signed = await signInBy(link, own);
    await signed.page.waitForLoadState();
    assert.equal(await signed.page.getByText('3010000.01').count(), 0);
    const [other] = await series().then((all) =>
      all.filter(({ legs }) => legs[0]?.path?.includes('3010000.01')),
    );
    const answer = await signed.page.goto(`${board.url}/session/${other?.id ?? ''}`);
    assert.equal(answer?.status(), 404);
    const allowed = await signed.page.goto(`${board.url}/series`);
    assert.equal(allowed?.status(), 200);
    assert.equal(await signed.page.getByText('3010000.01').count(), 0);
    assert.equal((await signed.page.goto(`${board.url}/health`))?.status(), 403);
    await own.close();
  });

  test('pages: axe-core finds nothing, nothing is wider than the window, and the browser complains of nothing', async () => {
    const session = (await series()).find(({ state }) => state === 'complete')?.id ?? '';
    const paths = [
      '/',
      '/day/2026-01-01',
      '/series?state=complete',
      '/bookings',
      '/health',
      `/session/${session}`,
    ];
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1280, 360]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        for (const path of paths) {
          await goto(path);
          await assertAccessible(page, `${path} ${colorScheme} ${width}`);
          assert.equal(await isTooWide(page), false, `${path} at ${width}`);
        }
      }
    assert.deepEqual(problems, []);
  });

  test('without JavaScript everything can be read, and done', async () => {
    const plain = await browser.newContext({
      javaScriptEnabled: false,
      storageState: await context.storageState(),
    });
    const bare = await plain.newPage();
    await bare.goto(board.url);
    assert.match((await bare.locator('main').textContent()) ?? '', /3010000\.01 · sub-001/);
    await bare.goto(`${board.url}/bookings`);
    await bare.getByLabel('Title').fill('3010000.02 sub-009 ses-mri02');
    await bare.getByRole('button', { name: 'Try it' }).click();
    await bare.getByText('This becomes a booking').waitFor();
    await bare.goto(`${board.url}/health`);
    await bare
      .getByRole('button', { name: /^Check now: / })
      .first()
      .click();
    await bare.waitForURL(/\/health\?check=\w+#\w+$/);
    for (const name of ['Calendars', 'Orthanc', 'Disks'])
      assert.ok((await bare.getByRole('region', { name }).locator('.check.good').count()) > 0, name);
    await plain.close();
  });

  test('what makes no sense gets a clear page', async () => {
    const bad: readonly (readonly [string, number, RegExp])[] = [
      ['/day/2026-02-30', 404, /No such day/],
      ['/series?state=lost', 400, /There is no state “lost”/],
      ['/series?page=0', 400, /There is no page/],
      ['/session/%3Cscript%3E', 404, /Not found/],
      ['/nowhere', 404, /Not found/],
      ['/invite/aaaa', 410, /no longer works/],
    ];
    for (const [path, status, text] of bad) {
      const answer = await goto(path);
      assert.equal(answer?.status(), status, path);
      assert.match((await page.locator('main').textContent()) ?? '', text, path);
    }
  });
});

/** Walk-ins and the console of a scanner in Debian's Chromium, on a whole Scanflow, to what findscu sees. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { run, until } from '@scanflow/testkit';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { assertAccessible, isTooWide, openBrowser, signInBy, whyNoBrowser } from './browser.ts';
import { startBoard, type Board } from './stack.ts';

const NO_BROWSER = await whyNoBrowser();
const SEEN_MS = 5_000;
const WALL = { width: 1920, height: 1080 };
/** Read from 3 m. */
const LEAST_PX = 40;
const HOSTILE = '"><img src=x onerror=alert(1)>';
/** At most 16 characters. The place would call a function that does not exist. */
const ODD_SCANNER = '"><img src=x>';
/** AE title of a sender that the configuration does not name. */
const STRANGER = '<img onerror=x>';
const ODD_PLACE = '<svg onload=x()>';

/** Each text is large enough, and nothing is off the screen. */
async function assertLegible(page: Page): Promise<void> {
  const sizes = await page.evaluate<[string, number][]>(`[...document.querySelectorAll('body *')]
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ''))
    .map((one) => [one.textContent.trim(), parseFloat(getComputedStyle(one).fontSize)])`);
  assert.ok(sizes.length > 8);
  assert.deepEqual(
    sizes.filter(([, size]) => size < LEAST_PX),
    [],
  );
  assert.equal(await isTooWide(page), false);
  assert.ok(
    await page.evaluate<boolean>('document.documentElement.scrollHeight <= innerHeight'),
    'no scrolling',
  );
}

suite('walk-ins and consoles in a browser', { skip: NO_BROWSER ?? false }, () => {
  const endings: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => endings.push(end) } as unknown as Parameters<
    typeof startBoard
  >[0];
  let board: Board;
  let browser: Browser;
  let people: BrowserContext;
  let page: Page;
  let problems: string[];
  let wall: Page;
  let wallContext: BrowserContext;

  before(async () => {
    board = await startBoard(t, 1, [
      [['scanners', 'odd'], { aet: ODD_SCANNER, modality: 'MR', location: ODD_PLACE }],
    ]);
    browser = await openBrowser(t);
    people = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const link = await board.invite({ name: 'operator', role: 'operator' });
    ({ page, problems } = await signInBy(link, people));
    wallContext = await browser.newContext({ viewport: WALL });
    wall = await wallContext.newPage();
    wall.on('dialog', (dialog) => void dialog.dismiss().then(() => problems.push('a dialog on the wall')));
    await wall.goto(await board.console('link', 'prisma'));
  });
  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  const seen = async (): Promise<string> => {
    const { aet, host, port } = board.stack.worklist;
    const { stdout, stderr } = await run('findscu', [
      ...['-W', '-aec', aet, '-aet', board.stack.scanners[0]?.aet ?? ''],
      ...[host, String(port), '-k', 'AccessionNumber'],
    ]);
    return `${stdout}${stderr}`;
  };
  const fill = async (labels: Readonly<Record<'Project' | 'Subject' | 'Session', string>>): Promise<void> => {
    await page.goto(`${board.url}/walk-in`);
    for (const [name, value] of Object.entries(labels)) await page.getByLabel(name).fill(value);
    await page.getByRole('button', { name: 'Show what it becomes' }).click();
  };

  test('console: its link leaves the address, and the page is legible from 3 m', async () => {
    assert.equal(wall.url(), `${board.url}/console/prisma`);
    await wall.getByRole('heading', { name: 'prisma' }).waitFor();
    await wall.locator('#live', { hasText: 'live' }).waitFor({ timeout: 20_000 });
    const minutesIn = async (where: string): Promise<number> => {
      const [, hours, minutes] = /(\d\d):(\d\d)/.exec((await wall.locator(where).textContent()) ?? '') ?? [];
      return Number(hours) * 60 + Number(minutes);
    };
    const apart = (await minutesIn('#live')) - (await minutesIn('.clock'));
    assert.ok(
      [0, 1, -1, 1439, -1439].includes(apart),
      `the browser's zone is not the facility's: ${apart} min`,
    );
    await assertLegible(wall);
    await assertAccessible(wall, 'the console');
  });

  test('walk-in: refused as a booking is, and hostile labels are text', async () => {
    await fill({ Project: '3010000.01', Subject: HOSTILE, Session: 'ses-w1' });
    await page.locator('.said.bad').waitFor();
    assert.equal(await page.getByLabel('Subject').inputValue(), HOSTILE);
    assert.equal(await page.locator('main img').count(), 0);
    await assertAccessible(page, 'the form of a walk-in');
  });

  test('walk-in: previewed, added, and seen by findscu and on the wall within 5 s; added twice is added once', async () => {
    await fill({ Project: '3010000.01', Subject: 'sub-077', Session: 'ses-walk1' });
    await page.getByText('3010000.01 · sub-077 · ses-walk1').waitFor();
    await assertAccessible(page, 'the preview of a walk-in');
    const began = performance.now();
    await page.getByRole('button', { name: 'Add to the worklist' }).dblclick();
    await page.getByRole('heading', { name: 'Journey' }).waitFor();
    const accession = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    await until(async () => (await seen()).includes(accession), {
      what: 'findscu sees the walk-in',
      timeoutMs: 20_000,
      everyMs: 100,
    });
    const ms = Math.round(performance.now() - began);
    console.error(`findscu saw it after ${ms} ms`);
    assert.ok(ms < SEEN_MS, `${ms} ms`);
    await wall.getByText('sub-077 · ses-walk1').first().waitFor({ timeout: SEEN_MS });
    // the query of findscu itself
    await wall.getByText(/\d+ items? · /).waitFor({ timeout: SEEN_MS });
    await page.goto(board.url);
    const row = page.locator('.row', { hasText: 'sub-077' });
    await row.waitFor();
    assert.equal(await row.count(), 1, 'a double click adds one');
    await row.getByRole('link').click();
  });

  test('console: full and silent, with labels however long, it fits on the screen and is amber', async () => {
    const full = await wallContext.newPage();
    await full.goto(`${board.url}/console/prisma`);
    await full.evaluate(`(() => {
      document.querySelector('.wall').className = 'wall silent';
      for (const one of document.querySelectorAll('.who, .project')) one.textContent = 'sub-123456789 · '.repeat(9);
      const [item] = document.querySelectorAll('li');
      item.append(' ses-123456789 ·'.repeat(9));
      for (const list of document.querySelectorAll('ol')) list.replaceChildren(item.cloneNode(true), item.cloneNode(true));
      const note = document.createElement('p');
      note.textContent = 'and 2 more';
      document.querySelector('section.now').append(note.cloneNode(true));
      for (const list of document.querySelectorAll('ol')) list.after(note.cloneNode(true));
    })()`);
    await assertLegible(full);
    const colour = await full.evaluate(
      "getComputedStyle(document.querySelector('section.now')).backgroundColor",
    );
    assert.equal(colour, 'rgb(255, 176, 0)');
    await assertAccessible(full, 'a silent console');
    await full.close();
  });

  test('walk-in: withdrawn, it leaves the worklist and the wall', async () => {
    await page.getByRole('button', { name: 'Withdraw this walk-in' }).waitFor();
    const accession = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    await page.getByRole('button', { name: 'Withdraw this walk-in' }).click();
    await page.getByText('Withdrawn. It leaves').waitFor();
    await until(async () => !(await seen()).includes(accession), {
      what: 'findscu no longer sees the walk-in',
      timeoutMs: 20_000,
      everyMs: 100,
    });
    await wall.getByText('sub-077 · ses-walk1').first().waitFor({ state: 'detached', timeout: SEEN_MS });
    assert.equal(await page.getByRole('button', { name: 'Withdraw this walk-in' }).count(), 0);
  });

  test('a hostile AE title, and place, of a scanner are text on every page that has them', async () => {
    await board.sendStray({ images: 1, patientId: 'PHANTOM', seriesDescription: 'odd one' }, ODD_SCANNER);
    const query = `senders=${encodeURIComponent(ODD_SCANNER)}`;
    await until(
      async () => ((await board.ask(`/api/board/series?${query}`)) as { total: number }).total === 1,
      { what: 'the images came', timeoutMs: 60_000, everyMs: 100 },
    );
    await assert.rejects(
      board.sendStray({ images: 1, patientId: 'PHANTOM', seriesDescription: 'refused' }, STRANGER),
    );
    const pages: readonly (readonly [string, string])[] = [
      ['/', ODD_SCANNER],
      ['/', ODD_PLACE],
      ['/series?scanner=odd', 'odd one'],
      [`/series?scanner=${encodeURIComponent(ODD_SCANNER)}`, ODD_SCANNER],
      ['/health', 'Senders'],
      ['/health', `${STRANGER} The receiver refused it`],
      [new URL(await board.console('link', 'odd')).pathname, 'odd'],
    ];
    for (const [path, text] of pages) {
      await page.goto(`${board.url}${path}`);
      await page.locator('main', { hasText: text }).waitFor();
      assert.equal(await page.locator('img, [onload], [onerror], script:not([src])').count(), 0, path);
    }
  });

  test('console: revoked, the wall shows nothing more within seconds', async () => {
    await board.console('revoke', 'prisma');
    await wall.getByRole('heading', { name: 'Not found' }).waitFor({ timeout: 30_000 });
    // a refused form is answered with 422
    assert.deepEqual(
      problems.filter((one) => !one.includes('422')),
      [],
    );
  });
});

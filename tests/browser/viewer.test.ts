/** The header viewer in Debian's Chromium, with the network cut: as the board serves it, and as one file from disk. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { dataSet, encodePart10, makeElement, transferSyntaxes } from '@scanflow/dicom';
import { freePort, run, startProgram, until } from '@scanflow/testkit';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { assertAccessible, isTooWide, openBrowser, whyNoBrowser } from './browser.ts';

const DASHBOARD = join(import.meta.dirname, '../../services/dashboard/src');
const CORPUS = '/usr/lib/python3/dist-packages/pydicom/data';
const SKIP = (await whyNoBrowser()) ?? (existsSync(CORPUS) ? false : 'python3-pydicom is not installed');
const HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202e';

suite('the header viewer in a browser', { skip: SKIP }, () => {
  const endings: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => endings.push(end) } as unknown as Parameters<
    typeof openBrowser
  >[0];
  let folder: string;
  let url: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const asked: string[] = [];
  const problems: string[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scanflow-viewer-'));
    endings.push(() => rm(folder, { recursive: true }));
    await makeFiles(folder);
    const made = await run(process.execPath, [join(DASHBOARD, 'viewer/one-file.ts')]);
    assert.equal(made.code, 0, made.stderr);
    url = `${await startDashboard(folder, endings)}/viewer`;
    browser = await openBrowser(t);
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    watch(page, asked, problems);
    await page.goto(url, { waitUntil: 'networkidle' });
    assert.deepEqual(problems, [], 'every module came; from now on there is no network');
    await context.setOffline(true);
  });
  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  const choose = async (...names: string[]) => {
    await page.locator('#files').setInputFiles(names.map((name) => join(folder, name)));
    await page.getByText(/^\d+ DICOM files?/).waitFor();
  };
  const openFile = async (name: string) => {
    await page.locator('#rows').getByRole('button', { name, exact: true }).click();
    await page.getByRole('heading', { name, exact: true }).waitFor();
  };
  const value = (name: string) =>
    page.locator('.element', { has: page.getByText(name, { exact: true }) }).locator('.value');

  test('a page cannot connect, even where its script tries', async () => {
    const refused = await page.evaluate(
      `Promise.allSettled([fetch('/viewer'), fetch('https://example.org')]).then((all) => all.map(({ status }) => status))`,
    );
    assert.deepEqual(refused, ['rejected', 'rejected']);
    assert.ok(
      problems.some((text) => text.includes("connect-src 'none'")),
      problems.join('\n'),
    );
    problems.splice(0);
    asked.splice(0);
  });

  test('files of all transfer syntaxes, with their pixels left where they are', async () => {
    const names = [
      'MR_small.dcm',
      'MR_small_implicit.dcm',
      'MR_small_bigendian.dcm',
      'image_dfl.dcm',
      'JPEG2000.dcm',
    ];
    await page.locator('#files').setInputFiles(names.map((name) => join(CORPUS, 'test_files', name)));
    await page.getByText('5 DICOM files.').waitFor();
    for (const name of names) {
      await openFile(name);
      await value('PixelData').waitFor();
      assert.match((await value('PixelData').textContent()) ?? '', /not read/);
      assert.equal(await page.getByText(/Parts of this file are broken/).count(), 0, name);
    }
  });

  test('text in ISO 2022, and a preview of plain and of baseline JPEG pixels; anything else says why not', async () => {
    await page.locator('#files').setInputFiles(join(CORPUS, 'charset_files/chrH32.dcm'));
    await page.getByRole('heading', { name: 'chrH32.dcm' }).waitFor();
    assert.equal(await value('PatientName').first().textContent(), 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう');
    const previews: readonly (readonly [string, RegExp | undefined])[] = [
      ['MR_small.dcm', undefined],
      ['MR_small_bigendian.dcm', undefined],
      ['image_dfl.dcm', undefined],
      ['SC_rgb_jpeg_dcmtk.dcm', undefined],
      ['JPEG2000.dcm', /compressed in a way that browsers do not show/],
      ['rtplan.dcm', /holds no pixels/],
    ];
    for (const [name, why] of previews) {
      await page.locator('#files').setInputFiles(join(CORPUS, 'test_files', name));
      await page.getByRole('heading', { name, exact: true }).waitFor();
      if (why !== undefined) await page.getByText(why).waitFor();
      else {
        await page.locator('canvas').waitFor();
        const colours = await page.evaluate<number>(
          `(() => { const c = document.querySelector('canvas'); const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height); return new Set(new Uint32Array(data.buffer)).size; })()`,
        );
        assert.ok(colours > 2, `${name}: ${colours} colours`);
      }
    }
  });

  test('a hostile file is text, private elements are named by their creator, broken parts are named', async () => {
    await choose('hostile.dcm');
    await page
      .getByText(/onerror=alert\(1\)/)
      .first()
      .waitFor();
    await page.getByText('ACME 1.0 xx01').waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
    assert.match((await value('PatientName').textContent()) ?? '', /\uFFFD202E/);
    await choose('cut.dcm');
    await page.getByText(/Parts of this file are broken/).waitFor();
    await page.locator('#files').setInputFiles(join(folder, 'broken.zip'));
    await page.getByText(/broken\.zip: This is no zip, or it was cut off/).waitFor();
  });

  test('search keeps the parents of hits; sequences are folded', async () => {
    await page.locator('#files').setInputFiles(join(CORPUS, 'test_files/rtplan.dcm'));
    await page.getByRole('heading', { name: 'rtplan.dcm' }).waitFor();
    assert.equal(await page.getByText('BeamName', { exact: true }).count(), 0, 'folded');
    await page.getByLabel('Search tags, names and values').fill('beamname');
    await page.getByText('BeamName', { exact: true }).first().waitFor();
    await page.getByText('BeamSequence', { exact: true }).waitFor();
    assert.equal(await page.getByText('PatientID', { exact: true }).count(), 0);
    await page.getByLabel('Search tags, names and values').fill('nothing like that');
    await page.getByText('Nothing holds that.').waitFor();
  });

  test('two files side by side; UIDs and times left out; a value, a row and the whole copied', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await choose('one.dcm', 'other.dcm');
    await openFile('one.dcm');
    await page.getByRole('button', { name: 'Copy value: PatientID' }).click();
    const copied = () => page.evaluate<string>('navigator.clipboard.readText()');
    assert.equal(await copied(), 'sub-001');
    await page.getByRole('button', { name: 'Copy row: PatientID' }).click();
    assert.equal(await copied(), '(0010,0020)\tLO\tPatientID\tsub-001');
    await page.getByRole('button', { name: 'Copy all as DICOM JSON' }).click();
    assert.deepEqual((JSON.parse(await copied()) as Record<string, unknown>)['00280010'], {
      vr: 'US',
      Value: [2],
    });
    await page.getByRole('button', { name: 'Compare with other.dcm' }).click();
    await page.getByText('3 differences').waitFor();
    await page.getByLabel('Leave out UIDs, dates and times').check();
    await page.getByText('1 difference', { exact: true }).waitFor();
    assert.deepEqual(await page.locator('.differs .pair .value').allTextContents(), ['sub-001', 'sub-002']);
    await assertAccessible(page, 'side by side');
  });

  test('a dropped folder of 2,000 files and a zip: the page never stops for long', async () => {
    const drag = await context.newCDPSession(page);
    const data = {
      items: [],
      files: [join(folder, 'many'), join(folder, 'some.zip')],
      dragOperationsMask: 1,
    };
    await page.evaluate(
      `globalThis.longest = 0; (() => { let last = performance.now(); setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; }, 10); })()`,
    );
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await drag.send('Input.dispatchDragEvent', { type, x: 200, y: 200, data });
    await page.getByText('2,002 DICOM files, and 1 that is no DICOM.').waitFor({ timeout: 60_000 });
    const longest = await page.evaluate<number>('longest');
    console.error(`2,000 files: the page stood still for ${Math.round(longest)} ms at most`);
    assert.ok(longest < 2_000, `${longest} ms`);
    assert.equal(await page.locator('#rows li').count(), 100);
    await page.getByLabel('Filter the list').fill('some.zip');
    await page.locator('#rows').getByRole('button', { name: 'some.zip/deep/one.dcm', exact: true }).click();
    await page.getByText('sub-001').waitFor();
  });

  test('the page is accessible, and no wider than the window; nothing was asked of any network', async () => {
    await choose('one.dcm', 'other.dcm', 'hostile.dcm');
    await openFile('hostile.dcm');
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1280, 360]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await assertAccessible(page, `viewer ${colorScheme} ${width}`);
        assert.equal(await isTooWide(page), false, `viewer at ${width}`);
      }
    assert.deepEqual([asked, problems], [[], []]);
  });

  test('as one file it opens from disk and does the same', async () => {
    const file = join(folder, 'viewer.html');
    const loaded = await fetch(`${url}/scanflow-viewer.html`);
    assert.match(String(loaded.headers.get('content-disposition')), /^attachment/);
    await writeFile(file, await loaded.text());
    const alone = await browser.newContext({ offline: true });
    page = await alone.newPage();
    const [itsAsked, itsProblems]: [string[], string[]] = [[], []];
    watch(page, itsAsked, itsProblems);
    await page.goto(pathToFileURL(file).href);
    await page.locator('#folder').setInputFiles(join(folder, 'few'));
    await page.getByText('2 DICOM files.').waitFor();
    await openFile('few/one.dcm');
    assert.equal(await value('PatientID').textContent(), 'sub-001');
    await page.locator('canvas').waitFor();
    await page.locator('#files').setInputFiles(join(CORPUS, 'test_files/image_dfl.dcm'));
    await page.getByRole('heading', { name: 'image_dfl.dcm' }).waitFor();
    assert.deepEqual([itsAsked, itsProblems], [[pathToFileURL(file).href], []]);
    assert.equal(await page.evaluate(`fetch('https://example.org').then(() => 1, () => 0)`), 0);
    await alone.close();
  });
});

/** The board alone: none of the other services runs. Answers its address. */
async function startDashboard(folder: string, endings: (() => unknown)[]): Promise<string> {
  const [port, api] = [await freePort(), await freePort()];
  const config = join(folder, 'scanflow.yaml');
  await writeFile(
    config,
    `facility: { name: Test, timezone: Europe/Amsterdam }
data: ${join(folder, 'data')}
scanners: { prisma: { aet: PRISMA, modality: MR } }
orthanc: { url: http://127.0.0.1:1 }
storage: { root: ${join(folder, 'storage')} }
dashboard: { port: ${port} }
http: { bind: 127.0.0.1, ports: { dashboard: ${api} } }
`,
  );
  const program = await startProgram(process.execPath, [join(DASHBOARD, 'main.ts'), '--config', config]);
  endings.push(() => program.stop());
  const url = `http://127.0.0.1:${port}`;
  const answers = (): Promise<boolean> => {
    if (program.exited()) throw new Error(`the board ended: ${program.output()}`);
    return fetch(`${url}/viewer`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await until(answers, { what: 'the board answers', timeoutMs: 60_000 });
  return url;
}

function watch(page: Page, asked: string[], problems: string[]): void {
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  page.on('dialog', (dialog) => {
    problems.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
}

async function makeFiles(folder: string): Promise<void> {
  const image = (uid: string, id: string, more: Parameters<typeof dataSet>[0] = {}): Uint8Array =>
    encodePart10(
      new Map([
        ...dataSet({
          SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
          SOPInstanceUID: uid,
          ContentTime: `1200${uid.slice(-2)}`,
          Modality: 'OT',
          PatientID: id,
          SamplesPerPixel: 1,
          PhotometricInterpretation: 'MONOCHROME2',
          Rows: 2,
          Columns: 2,
          BitsAllocated: 8,
          BitsStored: 8,
          HighBit: 7,
          PixelRepresentation: 0,
          ...more,
        }),
        [0x00210010, makeElement('LO', 'ACME 1.0')],
        [0x00211001, makeElement('LO', 'private')],
        [0x7fe00010, makeElement('OW', Uint8Array.of(0, 80, 160, 255))],
      ]),
      {
        transferSyntax: transferSyntaxes.explicitVRLittleEndian,
        sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
        sopInstanceUid: '2.25.1',
        characterSet: 'ISO_IR 192',
      },
    );
  const one = image('2.25.11', 'sub-001');
  const hostile = image('2.25.13', 'x', { PatientName: HOSTILE, SeriesDescription: '<svg onload=alert(3)>' });
  await Promise.all([
    writeFile(join(folder, 'one.dcm'), one),
    writeFile(join(folder, 'other.dcm'), image('2.25.12', 'sub-002')),
    writeFile(join(folder, 'hostile.dcm'), hostile),
    writeFile(join(folder, 'cut.dcm'), one.subarray(0, one.length - 60)),
    writeFile(join(folder, 'broken.zip'), 'PK\x03\x04 no more'),
    mkdir(join(folder, 'many')),
    mkdir(join(folder, 'few')),
    mkdir(join(folder, 'deep')),
  ]);
  for (let index = 0; index < 2_000; index++)
    await writeFile(join(folder, 'many', `${String(index).padStart(4, '0')}.dcm`), one);
  await writeFile(join(folder, 'many', 'notes.txt'), 'no DICOM');
  for (const place of ['few', 'deep'])
    for (const name of ['one.dcm', 'other.dcm']) await cp(join(folder, name), join(folder, place, name));
  const script = 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[2], "deep")';
  execFileSync('/usr/bin/python3', ['-c', script, join(folder, 'some'), folder]);
}

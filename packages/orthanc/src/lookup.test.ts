import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { httpServer } from '@scanflow/testkit';
import { orthancClient, type OrthancClient } from './client.ts';
import { findImages, isName } from './orthanc.ts';

const id = (digit: string): string => Array.from({ length: 5 }, () => digit.repeat(8)).join('-');
const [STUDY, OTHER, FIRST, SECOND, IMAGE] = ['a', 'b', 'c', 'd', 'e'].map(id) as [
  string,
  string,
  string,
  string,
  string,
];
const never = new AbortController().signal;

const series = (ID: string, number: string) => ({
  ID,
  Instances: [IMAGE],
  LastUpdate: '20261129T080000',
  MainDicomTags: { SeriesInstanceUID: `1.${number}`, SeriesNumber: number },
});
const ANSWERS: Readonly<Record<string, unknown>> = {
  '/tools/lookup': [
    { Type: 'Study', ID: STUDY },
    { Type: 'Study', ID: OTHER },
    { Type: 'Series', ID: FIRST },
  ],
  [`/studies/${STUDY}`]: { MainDicomTags: { StudyInstanceUID: '1', StudyID: 'ses-1' } },
  [`/studies/${STUDY}/series`]: [series(SECOND, '2'), series(FIRST, '1')],
  [`/series/${FIRST}`]: series(FIRST, '1'),
  [`/series/${FIRST}/study`]: { MainDicomTags: { StudyInstanceUID: '1' } },
};

async function orthanc(t: TestContext, answers = ANSWERS): Promise<OrthancClient> {
  const url = await httpServer(t, (request, response) => {
    const answer = answers[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? {}));
  });
  const client = orthancClient({ url });
  t.after(() => client.close());
  return client;
}

test('orthanc lookup: a study by UID is its series in their order; one that was deleted meanwhile is left out', async (t) => {
  const found = await findImages(await orthanc(t), 'study', '1', never);
  assert.deepEqual(
    found.map(({ path, series: all }) => [path, all.map((one) => one.seriesNumber), all[0]?.studyId]),
    [[`/studies/${STUDY}`, [1, 2], 'ses-1']],
  );
});

test('orthanc lookup: a series by its identifier; nothing where Orthanc has none', async (t) => {
  const client = await orthanc(t);
  const [found] = await findImages(client, 'series', FIRST, never);
  const [own] = found?.series ?? [];
  assert.deepEqual([own?.instances, own?.studyInstanceUid], [[IMAGE], '1']);
  assert.deepEqual(await findImages(client, 'series', SECOND, never), []);
});

test('orthanc lookup: an identifier that is a path is not followed', async (t) => {
  const answers = { '/tools/lookup': [{ Type: 'Study', ID: '../system' }] };
  await assert.rejects(findImages(await orthanc(t, answers), 'study', '1', never), {
    code: 'ORTHANC_UNCLEAR',
  });
  assert.equal(isName('../system'), false);
  assert.equal(isName(STUDY) && isName('1.2.3'), true);
});

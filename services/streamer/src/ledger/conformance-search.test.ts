/** What every ledger finds for the day board. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursor, done, FAILURE, toForward, toStore, type OpenLedger } from './conformance-kit.test.ts';
import { legFailed, legLater } from './aftermath.ts';
import {
  findSessions,
  labelledSessions,
  ledgerMarks,
  searchSeries,
  sessionsOfDay,
  waitingLegs,
  type LegFilter,
  type Page,
  type SeriesFilter,
} from './search.ts';
import { noteSenderOf } from './views.ts';
import { arrived } from '../intake/step.ts';
import { quarantine, stored } from '../store/sql.ts';

const PAGE = { offset: 0, limit: 10 };
const attributes = (accession: string) => ({
  ...{
    Modality: 'MR',
    AccessionNumber: accession,
    StudyInstanceUID: '1.2',
    SeriesInstanceUID: `1.2.${accession}`,
  },
  SeriesDescription: '100%_"x"',
});
const labels = (project: string) => ({ project, subject: 'sub-007', session: 'ses-mri01' });

export function searchConformance(name: string, open: OpenLedger): void {
  test(`${name}: series are found by what people know of them, and counted`, async (t) => {
    const { ledger } = await open(t);
    const find = async (filter: SeriesFilter): Promise<string> => {
      const { total, series } = await ledger.read(searchSeries, filter, PAGE);
      return `${total}: ${series.map(({ id }) => id).join(' ')}`;
    };
    for (const [index, id] of ['a', 'b', 'c'].entries())
      await ledger.write(arrived, cursor(index), [id], 100 + index, 100 + index);
    const first = await ledger.read(ledgerMarks);
    const a = await toStore(ledger, 200);
    await ledger.write(
      stored,
      a,
      done({ attributes: attributes('A1'), labels: labels('p_1'), targets: ['pacs'] }),
      210,
    );
    const second = await ledger.read(ledgerMarks);
    assert.notEqual(second.series, first.series, 'the mark changes');
    assert.equal(second.hooks, first.hooks, 'and says of what kind the change is');
    const b = await toStore(ledger, 220);
    const reason = { code: 'ROUTE_NO_MATCH', message: 'x' };
    await ledger.write(
      quarantine,
      b,
      { attributes: attributes('A2'), inOrthanc: 1, digest: 'd', reason },
      230,
    );
    assert.equal(await find({}), '3: c b a');
    assert.equal(await find({ state: 'quarantined' }), '1: b');
    assert.equal(await find({ project: 'p_1' }), '1: a');
    assert.equal(await find({ project: 'px1' }), '0: ', 'no letter stands for another one');
    assert.equal(await find({ project: '%' }), '0: ');
    assert.equal(await find({ project: 'P_1' }), '0: ', 'another project');
    assert.equal(await find({ projects: ['P_1'] }), '0: ', 'another project');
    assert.equal(await find({ accession: 'A2' }), '1: b');
    assert.equal(await find({ code: 'ROUTE_NO_MATCH' }), '1: b');
    assert.equal(await find({ target: 'pacs', leg: 'pending' }), '1: a');
    assert.equal(await find({ from: 101, to: 102 }), '1: b');
    await ledger.write(noteSenderOf, 'b', 'PRISMA');
    assert.equal(await find({ senders: ['PRISMA', 'OTHER'] }), '1: b');
    assert.equal(await find({ senders: [] }), '0: ');
    assert.equal(await find({ modality: 'MR', subject: 'sub-007', session: 'ses-mri01' }), '1: a');
    assert.equal(await find({ projects: [] }), '0: ');
    assert.equal(await find({ projects: ['p_1', 'other'] }), '1: a');
    assert.equal((await ledger.read(searchSeries, {}, { offset: 1, limit: 1 })).series[0]?.id, 'b');
  });

  test(`${name}: texts of images are found whatever they hold, and never by a part of them`, async (t) => {
    const { ledger } = await open(t);
    const texts = ['A"1', 'A\\', 'A\u0000B', '\ud800', '"AccessionNumber":"x"', 'x'.repeat(5_000), "a'b?"];
    for (const [index, text] of texts.entries()) {
      await ledger.write(arrived, cursor(index), [`s${index}`], 100 + index, 100 + index);
      const path = 'p'.repeat(3_500) + index.toString();
      await ledger.write(
        stored,
        await toStore(ledger, 200),
        done({ attributes: attributes(text), path, targets: [] }),
        210,
      );
      assert.equal((await ledger.read(findSessions, path))[0]?.series[0]?.id, `s${index}`);
    }
    for (const [index, accession] of texts.entries()) {
      if (accession.includes('\0') || accession === '\ud800') continue;
      const { series } = await ledger.read(searchSeries, { accession }, PAGE);
      assert.deepEqual(
        series.map(({ id }) => id),
        [`s${index}`],
        JSON.stringify(accession.slice(0, 20)),
      );
    }
    assert.equal((await ledger.read(searchSeries, { accession: 'x' }, PAGE)).total, 0);
  });

  test(`${name}: series are sorted by what people know, both ways, and paged`, async (t) => {
    const { ledger } = await open(t);
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      await ledger.write(arrived, cursor(index), [id], 100 + index, 100 + index);
      const description = ['t2', 't1', 't3'][index] ?? '';
      const at = { ...attributes(id), SeriesDescription: description };
      await ledger.write(
        stored,
        await toStore(ledger, 200),
        done({ attributes: at, labels: labels(`p${3 - index}`), stored: index + 1, targets: [] }),
        210,
      );
    }
    const order = async (page: Partial<Page>): Promise<string> =>
      (await ledger.read(searchSeries, {}, { ...PAGE, ...page })).series.map(({ id }) => id).join('');
    assert.equal(await order({}), 'cba');
    assert.equal(await order({ sort: 'came', up: true }), 'abc');
    assert.equal(await order({ sort: 'session', up: true }), 'cba');
    assert.equal(await order({ sort: 'series', up: true }), 'bac');
    assert.equal(await order({ sort: 'images' }), 'cba');
    assert.equal(await order({ sort: 'state', up: true }), 'abc');
    assert.equal(await order({ sort: 'series', up: true, offset: 1, limit: 1 }), 'a');
  });

  test(`${name}: what waits for its next try is told apart from what was not tried yet`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    await ledger.write(stored, work, done({ targets: ['pacs'] }), 110);
    assert.deepEqual(await ledger.read(waitingLegs), []);
    const legs = async (leg: LegFilter, target = 'pacs'): Promise<number> =>
      (await ledger.read(searchSeries, { target, leg }, PAGE)).total;
    assert.deepEqual([await legs('stuck'), await legs('open')], [0, 1], 'it was not tried yet');
    await ledger.write(
      legLater,
      await toForward(ledger, 110),
      { attempts: 1, nextTry: 500, failure: FAILURE },
      120,
    );
    assert.deepEqual(await ledger.read(waitingLegs), [
      { target: 'pacs', code: FAILURE.code, count: 1, since: 120 },
    ]);
    assert.equal((await ledger.read(searchSeries, { target: 'pacs', waits: true }, PAGE)).total, 1);
    assert.deepEqual([await legs('stuck'), await legs('open'), await legs('stuck', 'other')], [1, 1, 0]);
    await ledger.write(legFailed, await toForward(ledger, 500), FAILURE, 510);
    assert.deepEqual([await legs('stuck'), await legs('open'), await legs('done')], [1, 1, 0]);
    assert.deepEqual(await ledger.read(waitingLegs), []);
    assert.equal((await ledger.read(searchSeries, { code: FAILURE.code, leg: 'failed' }, PAGE)).total, 1);
  });

  test(`${name}: sessions are found by their numbers, and by when they began`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    await ledger.write(stored, work, done({ attributes: attributes('A1'), labels: labels('p') }), 110);
    const [session] = await ledger.read(findSessions, 'A1');
    assert.deepEqual(
      session?.series.map(({ id }) => id),
      ['a'],
    );
    for (const text of ['1.2', '1.2.A1', 'a', session.id])
      assert.equal((await ledger.read(findSessions, text))[0]?.id, session.id, text);
    for (const text of ['', '%', 'A', '1']) assert.deepEqual(await ledger.read(findSessions, text), [], text);
    const known = async (label: string): Promise<number> =>
      (await ledger.read(labelledSessions, label)).length;
    assert.deepEqual([await known('p'), await known('SUB-007'), await known('sub-00')], [1, 1, 0]);
    const at = session.firstSeen;
    const none = { accessions: [], studies: [], series: [] };
    assert.equal((await ledger.read(sessionsOfDay, at, at + 1, none)).length, 1);
    assert.equal((await ledger.read(sessionsOfDay, at + 1, at + 2, none)).length, 0);
    const named = [
      { ...none, accessions: ['A0', 'A1'] },
      { ...none, studies: ['1.2'] },
      { ...none, series: ['1.2.A1'] },
      { accessions: ['A1'], studies: ['1.2'], series: ['1.2.A1'] },
    ];
    for (const keys of named)
      assert.deepEqual(
        (await ledger.read(sessionsOfDay, at + 1, at + 2, keys)).map(({ id }) => id),
        [session.id],
        'images of a booking, whenever they came',
      );
    const others = { accessions: ['A'], studies: ['1'], series: ["' OR 1=1 --"] };
    assert.deepEqual(await ledger.read(sessionsOfDay, at + 1, at + 2, others), []);
  });
}

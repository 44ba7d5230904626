/** `scanflow transfer` against a source that lies, drops, hangs and refuses (faults.md 16); Orthanc's REST is the judge. */
import { strict as assert } from 'node:assert';
import { test, type TestContext } from 'node:test';
import { dataSet } from '@scanflow/dicom';
import {
  at,
  inOrthanc,
  json,
  list,
  orthancFor,
  scripted,
  study,
  summary,
  transfer,
  uidsOf,
  upload,
  type ArchivedImage,
  type JsonRow,
  type ScriptedArchive,
  type ScriptedMove,
} from './transfer-support.ts';

const target = await orthancFor('TARGET');
const TO = ['--to', at('TARGET', target.dicomPort)];
/** For what never comes: no test waits for it longer than it must. */
const SOON = ['--wait', '1s', '--retries', '1'];

const from = ({ port }: ScriptedArchive): string[] => ['--from', at('SOURCE', port)];
const send = (asked: ScriptedMove, images = asked.images): Promise<void> =>
  asked.send(images, target.dicomPort);
const success = (
  asked: ScriptedMove,
  completedSubOperations = asked.images.length,
  failedSubOperations = 0,
) => asked.final(0, { completedSubOperations, failedSubOperations, warningSubOperations: 0 });

interface Case {
  readonly images: readonly ArchivedImage[];
  readonly source: ScriptedArchive;
  readonly row: JsonRow;
  readonly code: number | null;
}

/** One accession of two series (3 and 2 images), moved by the script. */
async function moved(
  t: TestContext,
  number: number,
  onMove: (asked: ScriptedMove) => Promise<void>,
  { there = 0, options = SOON }: { there?: number; options?: readonly string[] } = {},
): Promise<Case> {
  const images = study({ accession: `F${number}`, studyUid: `2.25.2${number}`, series: [3, 2] });
  await upload(target, images.slice(0, there));
  const source = await scripted(t, { images, onMove });
  const result = await transfer(await list(t, `F${number}`), ...from(source), ...TO, ...options, '--json');
  const [row] = json(result).rows;
  assert.ok(row !== undefined);
  const arrived = await inOrthanc(target, `2.25.2${number}`);
  assert.equal(row.found - row.missing, arrived.length, 'the report says what Orthanc has');
  assert.equal(row.transferred, arrived.length - there);
  return { images, source, row, code: result.code };
}

test('transfer: status 0 with failures is seen through, and the series are asked for again', async (t) => {
  const { images, source, row, code } = await moved(t, 10, async (asked) => {
    const good = asked.level === 'STUDY' ? asked.images.slice(1) : asked.images;
    await send(asked, good);
    await success(asked, good.length, asked.images.length - good.length);
  });
  assert.deepEqual(summary(row), [5, 0, 5, 0, 0, 'Complete', undefined]);
  assert.equal(code, 0);
  assert.deepEqual(source.moves, ['STUDY', 'SERIES']);
  assert.deepEqual(await inOrthanc(target, '2.25.210'), uidsOf(images));
});

test('transfer: failures without end are asked for a bounded number of times, and told with the reason', async (t) => {
  const { source, row, code } = await moved(t, 11, async (asked) => {
    await send(asked, asked.images.slice(0, 1));
    const lost = asked.images.slice(1);
    const counts = { completedSubOperations: 1, failedSubOperations: lost.length };
    await asked.final(0xb000, counts, uidsOf(lost));
  });
  assert.deepEqual(summary(row), [5, 0, 2, 3, 3, 'Incomplete', 'MOVE_INCOMPLETE']);
  assert.equal(code, 1);
  assert.deepEqual(source.moves, ['STUDY', 'SERIES', 'SERIES']);
  assert.match(row.reason ?? '', /did not send every image .*status B000/);
});

test('transfer: a source that claims success and sends nothing is caught', async (t) => {
  const { row, code } = await moved(t, 12, (asked) => success(asked));
  assert.deepEqual(summary(row), [5, 0, 0, 5, 0, 'Failed', 'TRANSFER_NOT_ARRIVED']);
  assert.equal(code, 1);
});

test('transfer: images that come after the answer are waited for', async (t) => {
  const onMove = async (asked: ScriptedMove): Promise<void> => {
    await asked.final(0);
    await send(asked, asked.images.slice(0, 2));
    await send(asked, asked.images.slice(2));
  };
  const { row, source } = await moved(t, 13, onMove, { options: ['--wait', '60s'] });
  assert.deepEqual(summary(row), [5, 0, 5, 0, 0, 'Complete', undefined]);
  assert.deepEqual(source.moves, ['STUDY']);
});

test('transfer: images that come after the time-out are missing, and there the next time', async (t) => {
  const images = study({ accession: 'LATE1', studyUid: '2.25.220', series: [2] });
  const kept: ScriptedMove[] = [];
  const source = await scripted(t, {
    images,
    onMove: async (asked) => {
      kept.push(asked);
      await success(asked);
    },
  });
  const path = await list(t, 'LATE1');
  const first = await transfer(path, ...from(source), ...TO, ...SOON, '--json');
  assert.deepEqual(summary(json(first).rows[0]), [2, 0, 0, 2, 0, 'Failed', 'TRANSFER_NOT_ARRIVED']);
  const [asked] = kept;
  assert.ok(asked !== undefined);
  await send(asked);
  const moves = source.moves.length;
  const second = await transfer(path, ...from(source), ...TO, '--json');
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(summary(json(second).rows[0]), [2, 2, 0, 0, 0, 'Complete', undefined]);
  assert.equal(source.moves.length, moves);
});

test('transfer: a source that breaks off in the midst is asked for what is missing', async (t) => {
  const { images, row, source } = await moved(t, 14, async (asked) => {
    if (asked.count > 1) {
      await send(asked);
      await success(asked);
      return;
    }
    await send(asked, asked.images.slice(0, 4));
    asked.close();
  });
  assert.deepEqual(summary(row), [5, 0, 5, 0, 0, 'Complete', undefined]);
  assert.deepEqual(source.moves, ['STUDY', 'SERIES']);
  assert.deepEqual(await inOrthanc(target, '2.25.214'), uidsOf(images));
});

test('transfer: an unknown target is not asked for again, a dead one is', async (t) => {
  const unknown = await moved(t, 15, (asked) => asked.final(0xa801));
  assert.deepEqual(summary(unknown.row), [5, 0, 0, 5, 0, 'Failed', 'MOVE_UNKNOWN_TARGET']);
  assert.deepEqual(unknown.source.moves, ['STUDY']);
  const dead = await moved(t, 16, (asked) =>
    asked.final(0xa702, { failedSubOperations: asked.images.length }),
  );
  assert.deepEqual(summary(dead.row), [5, 0, 0, 5, 5, 'Failed', 'MOVE_REFUSED']);
  assert.deepEqual(dead.source.moves, ['STUDY', 'SERIES', 'SERIES']);
});

test('transfer: a source that falls silent is left after its time', async (t) => {
  const options = [...SOON, '--timeout', '3s', '--retries', '0'];
  const { row } = await moved(t, 17, (asked) => send(asked, asked.images.slice(0, 1)), { options });
  assert.deepEqual(summary(row), [5, 0, 1, 4, 0, 'Incomplete', 'MOVE_LOST']);
});

test('transfer: as many images as wanted, but others, are not taken for the same', async (t) => {
  const images = study({ accession: 'SAME1', studyUid: '2.25.230', series: [2] });
  const others = study({ accession: 'SAME1', studyUid: '2.25.230', series: [4] }).slice(2);
  assert.notDeepEqual(uidsOf(images), uidsOf(others));
  await upload(target, others);
  const source = await scripted(t, {
    images,
    onMove: async (asked) => {
      await send(asked);
      await success(asked);
    },
  });
  const result = await transfer(await list(t, 'SAME1'), ...from(source), ...TO, '--json');
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(summary(json(result).rows[0]), [2, 0, 2, 0, 0, 'Complete', undefined]);
  assert.deepEqual(await inOrthanc(target, '2.25.230'), uidsOf([...images, ...others]));
});

test('transfer: without an IMAGE level, and with a list that is cut short, counts decide', async (t) => {
  const images = study({ accession: 'COUNT1', studyUid: '2.25.240', series: [3, 2] });
  for (const onImage of [() => 0xa900, (found: readonly unknown[]) => found.slice(1)] as const) {
    const source = await scripted(t, {
      images,
      onFind: (level, _identifier, found) =>
        level === 'IMAGE' ? (onImage(found) as typeof found | number) : found,
      onMove: async (asked) => {
        await send(asked);
        await success(asked);
      },
    });
    const ends = [...from(source), ...TO, '--json', '--journal', 'none'];
    const result = await transfer(await list(t, 'COUNT1'), ...ends);
    assert.equal(result.code, 0, result.stderr);
    const [row] = json(result).rows;
    assert.deepEqual([row?.found, row?.missing, row?.status, row?.checkedBy], [5, 0, 'Complete', 'counts']);
  }
});

test('transfer: a source that answers with other studies, or with images nobody can count, is not believed', async (t) => {
  const images = study({ accession: 'OTHER1', studyUid: '2.25.250', series: [1] });
  const loose = await scripted(t, {
    images,
    onFind: () => [dataSet({ StudyInstanceUID: '2.25.250', AccessionNumber: 'OTHER1' })],
  });
  const first = await transfer(await list(t, 'MINE1'), ...from(loose), ...TO, '--json');
  assert.deepEqual([first.code, json(first).rows[0]?.code], [1, 'TRANSFER_NO_MATCH']);
  const vague = await scripted(t, {
    images,
    onFind: (level, _identifier, found) =>
      level === 'STUDY'
        ? found
        : level === 'SERIES'
          ? [dataSet({ SeriesInstanceUID: '2.25.250.1' })]
          : 0xa900,
  });
  const second = await transfer(await list(t, 'OTHER1'), ...from(vague), ...TO, '--json');
  assert.deepEqual([second.code, json(second).rows[0]?.code], [1, 'TRANSFER_UNCOUNTED']);
  assert.deepEqual([...loose.moves, ...vague.moves], []);
});

test('transfer: to a target that cannot be asked, the word of the source is told as such', async (t) => {
  const images = study({ accession: 'WORD1', studyUid: '2.25.260', series: [2] });
  const honest = await scripted(t, { images, onMove: (asked) => success(asked) });
  const path = await list(t, 'WORD1');
  const result = await transfer(path, ...from(honest), '--to', 'SOMEWHERE', '--json');
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /SOMEWHERE is not queried for what it has/);
  assert.deepEqual(summary(json(result).rows[0]), [2, 0, 2, 0, 0, 'Unverified', undefined]);
  const failing = await scripted(t, { images, onMove: (asked) => success(asked, 1, 1) });
  const bad = await transfer(
    await list(t, 'WORD1'),
    ...from(failing),
    '--to',
    'SOMEWHERE',
    ...SOON,
    '--json',
  );
  assert.equal(bad.code, 1);
  assert.deepEqual(summary(json(bad).rows[0]), [2, 0, 1, 1, 1, 'Incomplete', 'MOVE_INCOMPLETE']);
  assert.deepEqual(failing.moves, ['STUDY', 'STUDY']);
});

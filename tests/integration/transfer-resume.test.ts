/** `scanflow transfer` that is killed, stopped or left alone in the midst of a list, and goes on. */
import { strict as assert } from 'node:assert';
import { readFile, writeFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { until } from '@scanflow/testkit';
import {
  at,
  inOrthanc,
  json,
  list,
  orthancFor,
  scripted,
  started,
  study,
  transfer,
  uidsOf,
  type ScriptedArchive,
  type ScriptedMove,
} from './transfer-support.ts';

const target = await orthancFor('TARGET');
const TO = ['--to', at('TARGET', target.dicomPort)];

const from = ({ port }: ScriptedArchive): string[] => ['--from', at('SOURCE', port)];
const send = (asked: ScriptedMove, images = asked.images): Promise<void> =>
  asked.send(images, target.dicomPort);
const success = (asked: ScriptedMove): Promise<void> =>
  asked.final(0, { completedSubOperations: asked.images.length, failedSubOperations: 0 });

test('transfer: a source that goes away leaves the rest for the next time', async (t) => {
  const studies = [1, 2, 3].map((number) =>
    study({ accession: `G${number}`, studyUid: `2.25.29${number}`, series: [1] }),
  );
  const source = await scripted(t, {
    images: studies.flat(),
    onFind: (level, _identifier, found) => {
      // it ends once the first accession is over
      if (level === 'STUDY' && source.moves.length > 0) void source.close();
      return found;
    },
    onMove: async (asked) => {
      await send(asked);
      await success(asked);
    },
  });
  const path = await list(t, 'G1', 'G2', 'G3');
  const result = await transfer(path, ...from(source), ...TO, '--retry-time', '0s', '--json');
  assert.equal(result.code, 1);
  const [first, second, third] = json(result).rows;
  assert.equal(first?.status, 'Complete');
  assert.match(second?.code ?? '', /^DEST_/);
  assert.equal(third?.status, 'Interrupted');
  assert.match(third.reason ?? '', /^Not begun, as a node does not answer: /);
});

/** Three accessions; the second one's move hangs after one image, until `free()`. */
async function hanging(t: TestContext, root: string) {
  const studies = [1, 2, 3].map((number) =>
    study({ accession: `K${number}`, studyUid: `${root}${number}`, series: [2] }),
  );
  let free = false;
  const state = { hung: false, cancelled: false, free: () => (free = true) };
  const source = await scripted(t, {
    images: studies.flat(),
    onMove: async (asked) => {
      const uids = uidsOf(asked.images);
      if (!free && uids.includes(studies[1]?.[0]?.sopInstanceUid ?? '')) {
        await send(asked, asked.images.slice(0, 1));
        await asked.pending({ remainingSubOperations: 1, completedSubOperations: 1 });
        asked.cancelled.addEventListener('abort', () => {
          state.cancelled = true;
          void asked.final(0xfe00, { remainingSubOperations: 1, completedSubOperations: 1 });
        });
        state.hung = true;
        return;
      }
      await send(asked);
      await success(asked);
    },
  });
  return { studies, source, state };
}

test('transfer: killed in the midst of a list, it goes on where it was', async (t) => {
  const { studies, source, state } = await hanging(t, '2.25.27');
  const path = await list(t, 'K1', 'K2', 'K3');
  const program = await started(t, path, ...from(source), ...TO);
  await until(() => state.hung, { what: 'the second move hangs', timeoutMs: 60_000 });
  await program.stop('SIGKILL');
  state.free();
  const journal = `${path}.journal`;
  await writeFile(journal, `${await readFile(journal, 'utf8')}{"key":"K2","rows":[{"stat`);
  const finds = source.finds.length;
  const result = await transfer(path, ...from(source), ...TO, '--json');
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(
    json(result).rows.map((row) => [row.requested, row.there, row.transferred, row.status, row.earlier]),
    [
      ['K1', 0, 2, 'Complete', true],
      ['K2', 1, 1, 'Complete', false],
      ['K3', 0, 2, 'Complete', false],
    ],
  );
  // K1 is not asked for again
  assert.equal(source.finds.slice(finds).filter((level) => level === 'STUDY').length, 2);
  for (const [at, images] of studies.entries())
    assert.deepEqual(await inOrthanc(target, `2.25.27${at + 1}`), uidsOf(images));
  const third = await transfer(path, ...from(source), ...TO, '--json');
  assert.deepEqual([third.code, json(third).earlier], [0, 3]);
});

test('transfer: Ctrl-C cancels at the source, and the report says what is not done', async (t) => {
  const { source, state } = await hanging(t, '2.25.28');
  const path = await list(t, 'K2', 'K3');
  const program = await started(t, path, ...from(source), ...TO, '--journal', 'none');
  await until(() => state.hung, { what: 'the move hangs', timeoutMs: 60_000 });
  await program.stop('SIGINT', 60_000);
  assert.equal(await program.ended, 1);
  assert.ok(state.cancelled);
  assert.match(program.output(), /Interrupted/);
});

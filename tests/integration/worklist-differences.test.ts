/**
 * One folder served by DCMTK's wlmscpfs and by Scanflow: the same queries must give the same items with the same
 * attributes. Where they differ on purpose, the cases say exactly how, with the reason; the reasons are explained in docs/worklist-differences.md.
 */
import assert from 'node:assert/strict';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatTag, items, keywordOf, text, type DataSet, type Element } from '@scanflow/dicom';
import { cases, folderItems, REASONS, SEQUENCE, with_ } from './worklist-differences-cases.ts';
import * as worklist from './worklist-support.ts';

const { accessions, encoded, find, IDENTITY, item, scratch, startService, startWlmscpfs, step } = worklist;
/** `ACCESSION path VALUE` of an answer. Its character set is another matter: see the test below. */
function lines(answer: DataSet): string[] {
  const accession = text(answer, 'AccessionNumber') ?? '?';
  const below = (dataSet_: DataSet, path: string): string[] =>
    [...dataSet_].flatMap(([tag, element]) => {
      const name = `${path}${keywordOf(tag) ?? formatTag(tag)}`;
      if (element.kind !== 'sequence') return [`${name} ${show(element)}`];
      const inner = element.items.flatMap((one, index) => below(one, `${name}[${index}].`));
      return [`${name} ${element.items.length} items`, ...inner];
    });
  return below(answer, '')
    .filter((line) => !line.startsWith('SpecificCharacterSet '))
    .map((line) => `${accession} ${line}`);
}
const show = (element: Exclude<Element, { kind: 'sequence' }>): string =>
  element.kind === 'text'
    ? `"${element.values.join('\\')}"`
    : Buffer.from(element.bytes).toString('hex') || '""';

const without = (list: readonly string[], other: readonly string[]): string[] =>
  list.filter((one) => !other.includes(one)).sort();

const suite = worklist.wholeFile();
const data = await scratch(suite);
const folder = await worklist.worklistFolder(data);
for (const one of folderItems)
  await writeFile(join(folder, `${text(one, 'AccessionNumber') ?? ''}.wl`), encoded(one, 'ISO_IR 100'));
const service = await startService(suite, { data });
const theirPort = await startWlmscpfs(suite, data);

for (const [name, keys, known] of cases)
  test(`wlmscpfs and Scanflow, ${name}: ${known === undefined ? 'the same' : REASONS[known.reason]}`, async (t) => {
    const asked = [...IDENTITY.filter((key) => !keys.some((other) => other.startsWith(`${key}=`))), ...keys];
    const [ours, theirs] = await Promise.all([
      find(t, service.port, asked, { callingAet: 'PRISMA' }),
      find(t, theirPort, asked, { callingAet: 'PRISMA' }),
    ]);
    const [ourItems, theirItems] = [accessions(ours), accessions(theirs)];
    assert.deepEqual(
      without(ourItems, theirItems),
      known?.itemsOfOursOnly ?? [],
      'items that only ours gives',
    );
    assert.deepEqual(
      without(theirItems, ourItems),
      known?.itemsOfTheirsOnly ?? [],
      'items that only theirs gives',
    );
    assert.equal(new Set(ourItems).size, ourItems.length, 'each item once');
    const shared = (answers: readonly DataSet[], other: readonly string[]): string[] =>
      answers.filter((answer) => other.includes(text(answer, 'AccessionNumber') ?? '')).flatMap(lines);
    const [ourLines, theirLines] = [shared(ours.answers, theirItems), shared(theirs.answers, ourItems)];
    assert.deepEqual(
      without(ourLines, theirLines),
      [...(known?.ours ?? [])].sort(),
      'attributes of ours only',
    );
    assert.deepEqual(
      without(theirLines, ourLines),
      [...(known?.theirs ?? [])].sort(),
      'attributes of theirs only',
    );
    const statuses = [ours, theirs].map((found) => [...new Set(found.statuses)].join(' '));
    assert.notEqual(statuses[0], '', ours.output);
    if (known?.statuses === undefined) assert.equal(statuses[0], statuses[1], 'statuses');
    else assert.deepEqual(statuses, known.statuses);
  });

test(`wlmscpfs and Scanflow: ${REASONS.characterSet}`, async (t) => {
  const ask = (port: number) =>
    find(t, port, ['SpecificCharacterSet=ISO_IR 192', 'AccessionNumber=B1', 'PatientName'], {
      callingAet: 'SKYRA',
    });
  const [ours, theirs] = await Promise.all([ask(service.port), ask(theirPort)]);
  const sets = [ours, theirs].map(({ answers: [answer] }) =>
    text(answer ?? new Map(), 'SpecificCharacterSet'),
  );
  assert.deepEqual(sets, ['ISO_IR 192', 'ISO_IR 100'], 'that of the scanner, that of the file');
});

test('wlmscpfs and Scanflow: files that are not as they should be', async (t) => {
  const odd = await scratch(t);
  const oddFolder = await worklist.worklistFolder(odd);
  const write = (name: string, one: DataSet) => writeFile(join(oddFolder, name), encoded(one));
  const two = item('A1');
  const [first] = items(two, 'ScheduledProcedureStepSequence');
  assert.ok(first);
  const second = with_(first, { ScheduledProcedureStepID: 'A2', ScheduledStationAETitle: 'SKYRA' });
  await write('two.wl', new Map(two).set(SEQUENCE, { vr: 'SQ', kind: 'sequence', items: [first, second] }));
  await write('new.wl', item('B1'));
  await write('old.wl', item('B1', { description: 'An older version' }));
  await utimes(join(oddFolder, 'old.wl'), 1_700_000_000, 1_700_000_000);
  await write('nameless.wl', with_(item('C1'), { PatientName: null }));
  await write('unscheduled.wl', new Map([...item('D1')].filter(([tag]) => tag !== SEQUENCE)));
  await write('good.wl', item('E1'));
  await writeFile(join(oddFolder, 'broken.wl'), encoded(item('F1')).subarray(0, 600));
  const oddService = await startService(t, { data: odd });
  const strict = await startWlmscpfs(t, odd);
  const lenient = await startWlmscpfs(t, odd, ['-dfr']);
  const keys = [...IDENTITY, step('ScheduledProcedureStepID')];
  const served = async (port: number): Promise<string[]> =>
    (await find(t, port, keys, { callingAet: 'PRISMA' })).answers
      .map((answer) =>
        [answer, ...items(answer, 'ScheduledProcedureStepSequence')]
          .map((one) => text(one, 'AccessionNumber') ?? text(one, 'ScheduledProcedureStepID') ?? '-')
          .join(' '),
      )
      .sort();
  assert.deepEqual(await served(oddService.port), ['A1 A1', 'A1 A2', 'B1 B1', 'C1 C1', 'E1 E1']);
  assert.deepEqual(await served(strict), ['B1 B1', 'B1 B1', 'E1 E1']);
  assert.deepEqual(await served(lenient), ['A1 A1 A2', 'B1 B1', 'B1 B1', 'C1 C1', 'D1 -', 'E1 E1']);
});

test('docs/worklist-differences.md: explains every reason that is tested', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/worklist-differences.md'), 'utf8');
  const explained = [...page.matchAll(/^\| (?!-|Where)([^|]*?) +\|/gm)].map(([, first = '']) => first);
  assert.deepEqual(explained.sort(), Object.values(REASONS).sort());
});

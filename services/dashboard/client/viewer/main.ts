/** The header viewer: takes files, lists them, and shows one or two of them. */
import { viewer as t } from '../../src/texts/viewer.ts';
import { CannotOpen, listed, open, type Listed, type Opened } from '../../src/viewer/open.ts';
import { preview } from '../../src/viewer/preview.ts';
import { rowsOf, type Row } from '../../src/viewer/rows.ts';
import { MOST_FILES, sourcesOf, type Source, ZipError } from '../../src/viewer/sources.ts';
import { button, byId, el, inputById } from './dom.ts';
import { chosen, dropped, type Named } from './dropped.ts';
import { comparison } from './side-by-side.ts';
import { fileView } from './tree.ts';

/** Lines of the list at a time. */
const PAGE = 100;

/** Everything that the page knows; a later drop takes the place of an earlier one. */
const state = {
  turn: 0,
  files: [] as Listed[],
  from: 0,
  first: undefined as Source | undefined,
};

const said = byId('said');
const filter = inputById('filter');

const reasonOf = (error: unknown): string =>
  error instanceof CannotOpen || error instanceof ZipError || error instanceof DOMException
    ? error.message
    : t.unexpected;

/** Shows what could not be read, the first of it. */
function fail(name: string, error: unknown): void {
  const failures = byId('failures');
  failures.hidden = false;
  if (failures.childElementCount < 20) failures.append(el('li', {}, t.failed(name, reasonOf(error))));
}

async function take(coming: Promise<Named[]> | Named[]): Promise<void> {
  const turn = ++state.turn;
  Object.assign(state, { files: [], from: 0, first: undefined });
  byId('failures').replaceChildren();
  for (const id of ['failures', 'list', 'shown']) byId(id).hidden = true;
  said.textContent = t.looking(0, 0);
  const sources = await sourcesIn(await coming);
  const taken = sources.slice(0, MOST_FILES);
  let others = 0;
  for (const [index, source] of taken.entries()) {
    // reading lets the page breathe; whoever drops more meanwhile begins anew
    const found = await listed(source).catch((error: unknown) => fail(source.name, error));
    if (turn !== state.turn) return;
    if (found === undefined) others += 1;
    else state.files.push(found);
    if (index % 50 === 0) said.textContent = t.looking(index, taken.length);
  }
  const more = sources.length > taken.length ? ` ${t.tooMany(MOST_FILES)}` : '';
  said.textContent = t.found(state.files.length, others) + more;
  byId('list').hidden = state.files.length === 0;
  filter.value = '';
  list();
  const [only] = state.files;
  if (state.files.length === 1 && only !== undefined) await show(only.source);
}

async function sourcesIn(named: readonly Named[]): Promise<Source[]> {
  const all: Source[] = [];
  for (const { name, file } of named)
    await sourcesOf(name, file).then(
      (sources) => all.push(...sources),
      (error: unknown) => fail(name, error),
    );
  return all;
}

/** Shows the page of the list that is in turn. */
function list(): void {
  const wanted = filter.value.trim().toLowerCase();
  const kept = state.files.filter((one) =>
    [one.source.name, one.series, one.modality].join(' ').toLowerCase().includes(wanted),
  );
  state.from = Math.min(state.from, Math.max(0, Math.floor((kept.length - 1) / PAGE) * PAGE));
  const shown = kept.slice(state.from, state.from + PAGE);
  byId('rows').replaceChildren(...shown.map(fileRow));
  byId('page').textContent = t.page(
    Math.min(state.from + 1, kept.length),
    state.from + shown.length,
    kept.length,
  );
  for (const [id, isEnd] of [
    ['earlier', state.from === 0],
    ['later', state.from + PAGE >= kept.length],
  ] as const)
    byId(id).toggleAttribute('disabled', isEnd);
}

const fileRow = ({ source, modality, series, instance }: Listed): HTMLLIElement =>
  el(
    'li',
    {},
    button(source.name, () => void show(source)),
    el('small', {}, [modality, series, instance === '' ? '' : `#${instance}`].filter(Boolean).join(' · ')),
    button(t.compareWith, () => void compareWith(source), t.compareLabel(source.name)),
  );

async function show(source: Source): Promise<void> {
  state.first = source;
  await detail(source.name, async () => {
    const opened = await open(source);
    return fileView(opened, preview(source, opened));
  });
}

/** The file that is shown, beside another one; where none is shown, this one is the first. */
async function compareWith(source: Source): Promise<void> {
  const { first } = state;
  if (first === undefined) return show(source);
  await detail(t.compareTitle, async () => {
    const [left, right] = [await open(first), await open(source)];
    const end = button(t.endCompare, () => void show(first));
    return el(
      'div',
      {},
      el('p', { class: 'line' }, end),
      comparison(allRows(left), allRows(right), [first.name, source.name]),
    );
  });
}

const allRows = (opened: Opened): Row[] => [...rowsOf(opened.header.meta), ...rowsOf(opened.dataSet)];

async function detail(title: string, make: () => Promise<HTMLElement>): Promise<void> {
  const turn = state.turn;
  const view = await make().catch((error: unknown) => el('p', { class: 'line say bad' }, reasonOf(error)));
  if (turn !== state.turn) return;
  const head = byId('shown-title');
  head.replaceChildren(el('span', {}, title));
  byId('detail').replaceChildren(view);
  byId('shown').hidden = false;
  head.focus();
}

const run = (coming: Promise<Named[]> | Named[]): void => {
  take(coming).catch((error: unknown) => {
    said.textContent = reasonOf(error);
  });
};

for (const id of ['files', 'folder']) {
  const input = inputById(id);
  input.addEventListener('change', () => run(chosen(input)));
}
const drop = byId('drop');
// a file that misses the field must not open in the place of the page
for (const kind of ['dragover', 'drop'] as const)
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', kind === 'dragover');
    if (kind === 'drop' && event.dataTransfer !== null) run(dropped(event.dataTransfer));
  });
document.addEventListener('dragleave', () => drop.classList.remove('over'));
filter.addEventListener('input', () => {
  state.from = 0;
  list();
});
for (const [id, step] of [
  ['earlier', -PAGE],
  ['later', PAGE],
] as const)
  byId(id).addEventListener('click', () => {
    state.from = Math.max(0, state.from + step);
    list();
  });

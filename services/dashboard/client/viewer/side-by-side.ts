/** Two files side by side, with their differences marked by word and colour. */
import { formatTag } from '@scanflow/dicom/reading';
import { viewer as t } from '../../src/texts/viewer.ts';
import { compared, type Pair, shownValue, type Row } from '../../src/viewer/rows.ts';
import { el, fill, folded } from './dom.ts';

export function comparison(
  left: readonly Row[],
  right: readonly Row[],
  names: readonly [string, string],
): HTMLElement {
  const place = el('div', { class: 'scroll' });
  const said = el('p', { class: 'line' });
  said.setAttribute('role', 'status');
  const [without, only] = [checkbox(false), checkbox(true)];
  const show = (): void => {
    const pairs = compared(left, right, {
      withoutUidsAndTimes: without.checked,
      differencesOnly: only.checked,
    });
    const differences = pairs.reduce((sum, pair) => sum + differencesIn(pair), 0);
    said.textContent = differences === 0 ? t.noDifference : t.differences(differences);
    place.replaceChildren(listOf(pairs));
  };
  for (const box of [without, only]) box.addEventListener('change', show);
  show();
  return el(
    'div',
    {},
    el(
      'div',
      { class: 'line inline' },
      el('label', {}, without, ' ', t.withoutUids),
      el('label', {}, only, ' ', t.differencesOnly),
    ),
    said,
    el(
      'div',
      { class: 'line pair' },
      ...names.map((name, index) => el('b', {}, `${index === 0 ? t.left : t.right}: ${name}`)),
    ),
    place,
  );
}

function checkbox(checked: boolean): HTMLInputElement {
  const box = el('input');
  box.type = 'checkbox';
  box.checked = checked;
  return box;
}

const differencesIn = ({ differs, items = [] }: Pair): number => {
  const inner = items.flatMap(({ pairs }) => pairs).reduce((sum, pair) => sum + differencesIn(pair), 0);
  return differs && inner === 0 ? 1 : inner;
};

function listOf(pairs: readonly Pair[]): HTMLUListElement {
  const list = el('ul', { class: 'tree' });
  fill(list, pairs, pairView, t.more);
  return list;
}

function pairView({ left, right, differs, items }: Pair): HTMLLIElement {
  const row = left ?? right;
  const mark = el('span', { class: 'mark' }, differs ? t.differs : t.same);
  const head = [
    el('code', {}, formatTag(row?.tag ?? 0)),
    el('span', { class: 'vr' }, row?.vr ?? ''),
    el('b', {}, row?.name ?? ''),
    mark,
  ];
  const names = differs ? 'differs' : '';
  if (items === undefined)
    return el(
      'li',
      { class: `compared ${names}` },
      el('p', {}, ...head),
      el('div', { class: 'pair' }, side(left), side(right)),
    );
  const sizes = el('small', {}, [left, right].map((one) => t.items(one?.items?.length ?? 0)).join(' / '));
  const content = (): HTMLElement => {
    const list = el('ul', { class: 'tree' });
    fill(
      list,
      items,
      ({ number, pairs }) =>
        el(
          'li',
          {},
          folded([t.item(number)], () => listOf(pairs), true),
        ),
      t.more,
    );
    return list;
  };
  return el('li', { class: `compared ${names}` }, folded([...head, sizes], content, differs));
}

const side = (row: Row | undefined): HTMLElement =>
  row === undefined ? el('i', {}, t.missing) : el('span', { class: 'value' }, shownValue(row));

/** One file: its rows with sequences folded, the search, the preview, and the buttons that copy. */
import { formatTag, toJsonModel } from '@scanflow/dicom/reading';
import { viewer as t } from '../../src/texts/viewer.ts';
import type { Opened } from '../../src/viewer/open.ts';
import type { Preview } from '../../src/viewer/preview.ts';
import { rowsOf, rowText, shownValue, wholeValue, type Row, search } from '../../src/viewer/rows.ts';
import { button, copy, el, fill, folded } from './dom.ts';

const SAID = { copied: t.copied, not: t.notCopied };

/** The part of the page that shows a file. */
export function fileView(opened: Opened, picture: Promise<Preview>): HTMLElement {
  const rows = [...rowsOf(opened.header.meta), ...rowsOf(opened.dataSet)];
  const tree = el('div', { class: 'scroll' });
  const box = el('input');
  box.type = 'search';
  box.autocomplete = 'off';
  const show = (): void => {
    const found = search(rows, box.value);
    const { pixels } = opened;
    const list = listOf(found, box.value.trim() !== '');
    if (pixels !== undefined && box.value.trim() === '')
      list.append(line(formatTag(pixels.tag), pixels.vr, 'PixelData', t.pixels(pixels.vr, pixels.length)));
    tree.replaceChildren(found.length === 0 ? el('p', { class: 'empty' }, t.noHit) : list);
  };
  box.addEventListener('input', show);
  show();
  const all = button(
    t.copyAll,
    () => void copy(all, JSON.stringify(toJsonModel(opened.dataSet), null, 1), SAID),
  );
  return el(
    'div',
    {},
    problems(opened),
    el('div', { class: 'line inline' }, el('label', {}, t.search, ' ', box), all),
    pictureView(picture),
    tree,
  );
}

function problems({ problems: found }: Opened): HTMLElement | undefined {
  if (found.length === 0) return undefined;
  const list = el('ul');
  fill(list, found, ({ message }) => el('li', {}, message), t.more);
  return el('div', { class: 'line say bad' }, t.problems, list);
}

/** `open`: hits of a search are seen without unfolding. */
function listOf(rows: readonly Row[], open: boolean): HTMLUListElement {
  const list = el('ul', { class: 'tree' });
  fill(list, rows, (row) => rowView(row, open), t.more);
  return list;
}

function rowView(row: Row, open: boolean): HTMLLIElement {
  const { items } = row;
  const tag = formatTag(row.tag);
  if (items === undefined) return line(tag, row.vr, row.name, shownValue(row), copyButtons(row));
  const summary = [
    el('code', {}, tag),
    el('span', { class: 'vr' }, row.vr),
    el('b', {}, row.name),
    el('small', {}, t.items(items.length)),
  ];
  const content = (): HTMLElement => {
    const list = el('ul', { class: 'tree' });
    fill(
      list,
      items,
      (item) =>
        el(
          'li',
          {},
          folded([t.item(item.number)], () => listOf(item.rows, open), true),
        ),
      t.more,
    );
    return list;
  };
  return el('li', {}, folded(summary, content, open));
}

const line = (tag: string, vr: string, name: string, value: string, buttons?: HTMLElement): HTMLLIElement =>
  el(
    'li',
    { class: 'element' },
    el('code', {}, tag),
    el('span', { class: 'vr' }, vr),
    el('span', { class: 'name' }, name),
    el('span', { class: 'value' }, value),
    buttons,
  );

function copyButtons(row: Row): HTMLElement {
  const value = button(
    t.copyValue,
    () => void copy(value, wholeValue(row), SAID),
    `${t.copyValue}: ${row.name}`,
  );
  const whole = button(t.copyRow, () => void copy(whole, rowText(row), SAID), `${t.copyRow}: ${row.name}`);
  return el('span', { class: 'copies' }, value, whole);
}

function pictureView(picture: Promise<Preview>): HTMLElement {
  const place = el('div', { class: 'line' });
  const draw = async (): Promise<HTMLElement> => {
    const made = await picture;
    if (made.kind === 'none') return el('p', { class: 'more' }, made.why);
    const canvas = el('canvas', { class: 'picture', label: t.preview.alt });
    canvas.setAttribute('role', 'img');
    const context = canvas.getContext('2d');
    if (made.kind === 'pixels') {
      Object.assign(canvas, { width: made.width, height: made.height });
      context?.putImageData(new ImageData(made.rgba, made.width, made.height), 0, 0);
      return canvas;
    }
    const image = await createImageBitmap(new Blob([made.bytes], { type: 'image/jpeg' }));
    const scale = Math.min(1, 256 / Math.max(image.width, image.height));
    Object.assign(canvas, { width: Math.ceil(image.width * scale), height: Math.ceil(image.height * scale) });
    context?.drawImage(image, 0, 0, canvas.width, canvas.height);
    if (made.inverted && context !== null) {
      context.globalCompositeOperation = 'difference';
      context.fillStyle = '#fff';
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    return canvas;
  };
  draw().then(
    (view) => place.append(view),
    () => place.append(el('p', { class: 'more' }, t.preview.broken)),
  );
  return place;
}

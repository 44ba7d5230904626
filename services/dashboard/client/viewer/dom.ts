/** Elements whose text is text: nothing of a file ever becomes HTML. */

type Child = Node | string | undefined;

interface Properties {
  readonly class?: string;
  readonly label?: string;
  readonly title?: string;
  readonly onClick?: () => void;
}

/** An element with children; a string becomes a text node. */
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  const { class: names, label, title, onClick } = properties;
  if (names !== undefined) made.className = names;
  if (label !== undefined) made.setAttribute('aria-label', label);
  if (title !== undefined) made.title = title;
  if (onClick !== undefined) made.addEventListener('click', onClick);
  made.append(
    ...children
      .filter((child) => child !== undefined)
      .map((child) => (typeof child === 'string' ? visible(child) : child)),
  );
  return made;
}

/** Characters that change the direction or the look of what stands beside them are shown by their number. */
export const visible = (text: string): string =>
  text.replaceAll(
    /(?![\n\t])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\uFFFD${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  );

export function button(text: string, onClick: () => void, label?: string): HTMLButtonElement {
  const made = el('button', { onClick, ...(label === undefined ? {} : { label }) }, text);
  made.type = 'button';
  return made;
}

/** The element of the page with this id; the page has it. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no #${id}.`);
  return found;
}

export function inputById(id: string): HTMLInputElement {
  const found = byId(id);
  if (!(found instanceof HTMLInputElement)) throw new Error(`#${id} is no input.`);
  return found;
}

/** Rows that a list shows at once. */
const AT_ONCE = 500;

/** Fills a list in portions, so that a file of sixty thousand elements does not freeze the page. */
export function fill<T>(
  list: HTMLElement,
  all: readonly T[],
  row: (one: T) => HTMLElement,
  more: (left: number) => string,
): void {
  list.append(...all.slice(0, AT_ONCE).map(row));
  const rest = all.slice(AT_ONCE);
  if (rest.length === 0) return;
  const next = el(
    'li',
    { class: 'rest' },
    button(more(rest.length), () => {
      next.remove();
      fill(list, rest, row, more);
    }),
  );
  list.append(next);
}

/** A folded part, made when it is first opened. */
export function folded(
  summary: readonly Child[],
  content: () => HTMLElement,
  open: boolean,
): HTMLDetailsElement {
  const details = el('details', {}, el('summary', {}, ...summary));
  const make = (): void => {
    if (details.childElementCount === 1) details.append(content());
  };
  if (open) make();
  details.open = open;
  details.addEventListener('toggle', () => {
    if (details.open) make();
  });
  return details;
}

/** Copies, and says on the button whether that went well. */
export async function copy(
  from: HTMLButtonElement,
  text: string,
  said: { copied: string; not: string },
): Promise<void> {
  const { textContent } = from;
  const result = await navigator.clipboard.writeText(text).then(
    () => said.copied,
    () => said.not,
  );
  from.textContent = result;
  setTimeout(() => (from.textContent = textContent), 2000);
}

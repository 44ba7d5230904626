/** What every page of the board adds in a browser: rows that follow events, and buttons that copy. Pages work without it. */
import { Idiomorph } from './idiomorph.js';

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createHTML: (text: string) => string },
  ): { createHTML(text: string): string };
}

/** The board's own pages are trusted, and nothing else becomes HTML here. */
const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('scanflow', {
  createHTML: (text) => text,
}) ?? { createHTML: (text: string) => text };

const CHANGED = 'changed';
const MINUTE_MS = 60_000;
const live = document.querySelector<HTMLElement>('#live');
/** A console has events of its own. */
const EVENTS = live?.dataset['events'] ?? '/events';
const channel = new BroadcastChannel(`scanflow${EVENTS}`);
/** After this time a browser asks again for events that a proxy or the board refused. */
const AGAIN_MS = 5_000;
let lastGood = clock();
/** Of the page that was brought in last. */
let tag: string | null = null;
let running = false;
let again = false;

/** What a person typed or opened stays, also where the page behind it changes. */
const KEEPING = {
  ignoreActiveValue: true,
  callbacks: {
    beforeNodeMorphed: (now: Node): boolean => !(now instanceof HTMLFormElement && isTyped(now)),
    beforeAttributeUpdated: (name: string): boolean => name !== 'open',
  },
};

const isTyped = ({ elements }: HTMLFormElement): boolean =>
  [...elements].some(
    (one) =>
      ((one instanceof HTMLInputElement || one instanceof HTMLTextAreaElement) &&
        one.value !== one.defaultValue) ||
      (one instanceof HTMLSelectElement &&
        [...one.options].some((own) => own.selected !== own.defaultSelected)),
  );

/** Fetches the page and brings in what is different, so that focus and scroll stay where they are. */
async function refresh(): Promise<void> {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    const headers = { accept: 'text/html', ...(tag !== null && { 'if-none-match': tag }) };
    const response = await fetch(location.href, { headers, redirect: 'error' });
    // a console whose link was revoked shows nothing more
    if (response.status === 404 && EVENTS !== '/events') location.reload();
    if (response.status !== 304) bringIn(response.ok ? await response.text() : fail(response));
    tag = response.headers.get('etag');
    lastGood = clock();
    show('good');
  } catch {
    show('stale');
  } finally {
    running = false;
    if (again) {
      again = false;
      void refresh();
    }
  }
}

function bringIn(text: string): void {
  const page = new DOMParser().parseFromString(policy.createHTML(text), 'text/html');
  const [now, next] = [document.querySelector('main'), page.querySelector('main')];
  if (now !== null && next !== null) Idiomorph.morph(now, next, KEEPING);
}

function fail({ status }: Response): never {
  throw new Error(String(status));
}

/** The time of now at the facility, as the browser's user writes it. */
function clock(): string {
  return new Intl.DateTimeFormat([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...(live?.dataset['zone'] ? { timeZone: live.dataset['zone'] } : {}),
  }).format();
}

function show(state: 'good' | 'stale'): void {
  if (live instanceof HTMLElement) live.textContent = live.dataset[state]?.replace('{time}', lastGood) ?? '';
}

/** One tab of the browser holds the event stream and passes events on: browsers open six connections to a server at most. */
function listen(): Promise<never> {
  const source = new EventSource(EVENTS);
  const tell = (): void => {
    channel.postMessage(CHANGED);
    void refresh();
  };
  source.addEventListener(CHANGED, tell);
  // the browser connects again by itself; what was missed meanwhile is in the page
  source.addEventListener('open', tell);
  source.addEventListener('error', () => {
    show('stale');
    // only a stream that broke off is opened again by the browser, not one that was refused
    if (source.readyState !== EventSource.CLOSED) return;
    void refresh();
    setTimeout(() => void listen(), AGAIN_MS);
  });
  return new Promise(() => undefined);
}

channel.addEventListener('message', () => void refresh());
document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('button[data-copy]') : null;
  if (button instanceof HTMLButtonElement) void copy(button);
});

/** Says what happened on the button itself, for a moment. */
async function copy(button: HTMLButtonElement): Promise<void> {
  const { textContent } = button;
  const said = await navigator.clipboard.writeText(button.dataset['copy'] ?? '').then(
    () => document.body.dataset['copied'],
    () => document.body.dataset['notCopied'],
  );
  button.textContent = said ?? textContent;
  setTimeout(() => (button.textContent = textContent), 2000);
}

if (live !== null) {
  void navigator.locks.request(`scanflow-events${EVENTS}`, listen);
  // what depends on the time alone moves too: now, and slots that are over
  setInterval(() => {
    if (document.visibilityState === 'visible') void refresh();
  }, MINUTE_MS);
}

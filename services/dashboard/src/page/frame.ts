/** What all pages share: head, navigation, and where a page's own part goes. */
import type { Person } from '../access/roles.ts';
import { t } from '../texts/pages.ts';
import { viewer } from '../texts/viewer.ts';
import { html, type Html } from './html.ts';

const PAGES = ['/', '/series', '/bookings', '/health'] as const;
export type PagePath = (typeof PAGES)[number];

export interface Framed {
  readonly title: string;
  /** Which entry of the navigation it is; with it, the page follows events. */
  readonly path?: PagePath | undefined;
  readonly main: Html;
  /** Above it. */
  readonly banner?: Html | undefined;
  readonly person?: Person | undefined;
  /** Of the facility, for the time that the page says it is of. */
  readonly zone?: string | undefined;
  /** A page's own module, instead of the board's, and its style beside it. */
  readonly own?: { readonly script: string; readonly style: string };
}

/** A whole page. */
export const framed = ({ title, path, main, banner, person, zone, own }: Framed): string =>
  `<!doctype html>\n${html`<html lang="${t.language}">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title} · Scanflow</title>
      <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
      <link rel="stylesheet" href="/assets/board.css" />
      ${own && html`<link rel="stylesheet" href="${own.style}" />`}
      <script type="module" src="${own?.script ?? '/assets/board.js'}"></script>
    </head>
    <body data-copied="${t.copied.good}" data-not-copied="${t.copied.bad}">
      <a class="skip" href="#main">${t.skip}</a>
      <header>
        <b class="name">Scanflow</b>
        ${person !== undefined && navigation(path)}
        ${path !== undefined && html`<span id="live" class="live" role="status" data-zone="${zone ?? ''}" data-good="${t.live.good}" data-stale="${t.live.stale}"></span>`}
        ${person !== undefined && account(person)}
      </header>
      <main id="main" tabindex="-1">${banner} ${main}</main>
    </body>
  </html>`.toString()}\n`;

const navigation = (path: PagePath | undefined): Html =>
  html`<nav aria-label="${t.pages}">
    ${PAGES.map((to) => html`<a href="${to}" ${to === path && html`aria-current="page"`}>${t.nav[to]}</a>`)}
    <a href="/viewer">${viewer.title}</a>
  </nav>`;

const account = ({ name, role }: Person): Html =>
  html`<form method="post" action="/sign-out" class="account">
    <a href="/account" title="${t.roles[role]}">${name}</a>
    <button>${t.signOut}</button>
  </form>`;

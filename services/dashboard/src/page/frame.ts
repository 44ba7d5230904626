/** What all pages share: head, navigation, and where a page's own part goes. */
import { html, type Html } from './html.ts';

const PAGES = [
  ['/', 'Today'],
  ['/series', 'Series'],
  ['/bookings', 'Bookings'],
  ['/health', 'Health'],
  ['/viewer', 'Viewer'],
] as const;

/** A whole page. `path`: which entry of the navigation it is. */
export const framed = (title: string, path: (typeof PAGES)[number][0] | undefined, main: Html): string =>
  `<!doctype html>\n${html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title} · Scanflow</title>
      <link rel="stylesheet" href="/assets/board.css" />
      <script type="module" src="/assets/board.js"></script>
    </head>
    <body>
      <header>
        <b>Scanflow</b>
        <nav aria-label="Pages">
          ${PAGES.map(([to, name]) => html`<a href="${to}" ${to === path && html`aria-current="page"`}>${name}</a>`)}
        </nav>
        ${path !== undefined && html`<span id="live" class="live" role="status"></span>`}
      </header>
      <main>${main}</main>
    </body>
  </html>`.toString()}\n`;

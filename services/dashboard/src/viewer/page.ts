/** The page of the header viewer: the same for everybody, since it shows nothing of the facility. */
import { html, type Html } from '../page/html.ts';
import { viewer as t } from '../texts/viewer.ts';

/** On the board: links to it, and to the viewer as one file where that was made. The file itself has neither. */
export const viewerPage = (board?: { readonly file: string | undefined }): Html =>
  html`<h1>${t.title}</h1>
    <p class="sub">${t.sub}</p>
    <noscript><p class="say bad">${t.noScript}</p></noscript>
    <div id="drop" class="drop">
      <p>${t.drop}</p>
      <div class="inline">
        <label>${t.files} <input type="file" id="files" multiple /></label>
        <label>${t.folder} <input type="file" id="folder" webkitdirectory multiple /></label>
      </div>
    </div>
    <p id="said" role="status"></p>
    <ul id="failures" class="say bad" hidden></ul>
    <section id="list" hidden aria-labelledby="list-title">
      <h2 id="list-title">${t.list}</h2>
      <p class="line inline">
        <label>${t.filter} <input type="search" id="filter" autocomplete="off" /></label>
      </p>
      <ul id="rows" class="files"></ul>
      <p class="line pager">
        <button type="button" id="earlier">${t.earlier}</button>
        <span id="page"></span>
        <button type="button" id="later">${t.later}</button>
      </p>
    </section>
    <section id="shown" hidden aria-labelledby="shown-title">
      <h2 id="shown-title" tabindex="-1"></h2>
      <div id="detail"></div>
    </section>
    ${
      board?.file !== undefined &&
      html`<p class="more"><a href="${board.file}" download>${t.download}</a>. ${t.downloadText}</p>`
    }
    ${board && html`<p class="more"><a href="/">${t.toBoard}</a></p>`}`;

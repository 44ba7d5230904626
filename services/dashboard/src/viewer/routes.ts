/**
 * `/viewer`, open for everybody who reaches the board: its page, and its modules as browsers load them. It shows nothing of the facility,
 * and nothing leaves the browser.
 */
import { readFileSync, realpathSync, existsSync } from 'node:fs';
import { findPackageJSON, stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { FastifyInstance } from 'fastify';
import { html, type Html } from '../page/html.ts';
import { viewer as t } from '../texts/viewer.ts';
import { framed } from '../page/frame.ts';

/** Of all packages and node_modules: addresses are paths below it. */
const ROOT = join(import.meta.dirname, '../../../..');
const IMPORT =
  /^(\s*(?:import|export)\b[^'"]*?\bfrom\s*|\s*import\s*)(['"])([^'"]+)\2(\s*with\s*\{[^}]*\})?/gm;
const CONDITIONS: ReadonlySet<string> = new Set(['browser', 'import', 'default']);

/** A module and all that it imports, by their address. */
function modules(entry: string, base: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const open = [realpathSync(entry)];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const at = addressOf(path, base);
    if (found.has(at)) continue;
    const from = path;
    const code = codeOf(path).replaceAll(IMPORT, (_all, head: string, quote: string, name: string) => {
      const target = resolved(name, from);
      open.push(target);
      return head + quote + addressOf(target, base) + quote;
    });
    found.set(at, code);
  }
  return found;
}

const addressOf = (path: string, base: string): string =>
  `${base}${relative(ROOT, path)
    .replaceAll('\\', '/')
    .replace(/\.(?:ts|json)$/, '.js')}`;

function codeOf(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (path.endsWith('.ts')) return stripTypeScriptTypes(text);
  // a module of JSON would be fetched by connect-src
  return path.endsWith('.json') ? `export default ${text.trim()};\n` : text;
}

function resolved(name: string, from: string): string {
  if (name.startsWith('.')) return realpathSync(join(dirname(from), name));
  const isOwn = name.startsWith('#');
  const manifest = findPackageJSON(isOwn ? '.' : name, pathToFileURL(from));
  if (manifest === undefined) throw new Error(`${from} imports ${name}, which is not installed.`);
  const { imports, exports, name: own } = packageJson.parse(JSON.parse(readFileSync(manifest, 'utf8')));
  const target = isOwn ? imports[name] : exports[`.${name.slice(own.length)}`];
  const file = chosen(target);
  if (file === undefined) throw new Error(`${from} imports ${name}, which is nothing for browsers.`);
  return realpathSync(join(dirname(manifest), file));
}

const packageJson = z.object({
  name: z.string(),
  imports: z.record(z.string(), z.unknown()).default({}),
  exports: z.record(z.string(), z.unknown()).default({}),
});

/** The first condition that applies decides (Node.js, packages, conditional exports). */
function chosen(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (typeof target !== 'object' || target === null) return undefined;
  const [, inner] = Object.entries(target).find(([condition]) => CONDITIONS.has(condition)) ?? [];
  return chosen(inner);
}

// The page of the header viewer: the same for everybody, since it shows nothing of the facility.

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

export const CLIENT = join(import.meta.dirname, '../../client/viewer');
const ENTRY = join(CLIENT, 'main.ts');
const BASE = '/assets/modules/';
/** Made by `npm run viewer`, and when the image is built. */
export const ONE_FILE = join(import.meta.dirname, '../../built/scanflow-viewer.html');
const DOWNLOAD = '/viewer/scanflow-viewer.html';

/** No connection, no form, no trusted type: what a file holds cannot go anywhere, nor become HTML. */
const VIEWER_POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'none'; img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export function addViewer(app: FastifyInstance): void {
  for (const [address, code] of modules(ENTRY, BASE))
    app.get(address, (_request, reply) => reply.type('text/javascript; charset=utf-8').send(code));
  const style = readFileSync(join(CLIENT, 'viewer.css'));
  app.get('/assets/viewer.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(style));
  const file = existsSync(ONE_FILE) ? readFileSync(ONE_FILE) : undefined;
  const page = framed({
    title: t.title,
    main: viewerPage({ file: file && DOWNLOAD }),
    own: { script: addressOf(ENTRY, BASE), style: '/assets/viewer.css' },
  });
  app.get('/viewer', (_request, reply) =>
    reply.header('content-security-policy', VIEWER_POLICY).type('text/html; charset=utf-8').send(page),
  );
  if (file !== undefined)
    app.get(DOWNLOAD, (_request, reply) =>
      reply
        .header('content-security-policy', VIEWER_POLICY)
        .header('content-disposition', 'attachment; filename="scanflow-viewer.html"')
        .type('text/html; charset=utf-8')
        .send(file),
    );
}

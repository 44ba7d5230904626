/**
 * `npm run viewer`: the viewer as one HTML file that opens from disk. Modules do not load from `file://`, so a bundler makes one
 * script of them; a policy in the file allows that script and the style by their hashes, and nothing else.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { html } from '../page/html.ts';
import { viewer as t } from '../texts/viewer.ts';
import { viewerPage, CLIENT, ONE_FILE } from './routes.ts';

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The whole page as text. */
async function oneFile(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(CLIENT, 'main.ts')],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2024',
    charset: 'ascii',
    legalComments: 'inline',
    tsconfigRaw: {},
  });
  // what ends a script within a script would end it in the page, too
  const script = (outputFiles[0]?.text ?? '').replaceAll(/<(?=\/script|!--)/gi, '\\x3C');
  const board = join(import.meta.dirname, '../page/board.css');
  const styles = await Promise.all([board, join(CLIENT, 'viewer.css')].map((file) => readFile(file, 'utf8')));
  const style = styles.join('\n');
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; connect-src 'none'; form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'`;
  const page = html`<html lang="${t.language}">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${policy}" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${t.title} · Scanflow</title>
      <style></style>
    </head>
    <body>
      <main id="main" tabindex="-1">${viewerPage()}</main>
      <script></script>
    </body>
  </html>`.toString();
  return `<!doctype html>\n${page
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script></script>', () => `<script>${script}</script>`)}\n`;
}

if (import.meta.main) {
  await mkdir(dirname(ONE_FILE), { recursive: true });
  // a board that starts meanwhile reads the old one, or the new one
  const aside = `${ONE_FILE}.${process.pid}`;
  await writeFile(aside, await oneFile());
  await rename(aside, ONE_FILE);
}

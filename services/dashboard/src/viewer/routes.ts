/** `/viewer`, open for everybody who reaches the board: it shows nothing of the facility, and nothing leaves the browser. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { framed } from '../page/frame.ts';
import { viewer as t } from '../texts/viewer.ts';
import { addressOf, modules } from './modules.ts';
import { viewerPage } from './page.ts';

export const CLIENT = join(import.meta.dirname, '../../client/viewer');
const ENTRY = join(CLIENT, 'main.ts');
const BASE = '/assets/modules/';
/** Made by `npm run viewer`, and when the image is built. */
export const ONE_FILE = join(import.meta.dirname, '../../built/scanflow-viewer.html');
const DOWNLOAD = '/viewer/scanflow-viewer.html';

/** No connection, no form, no trusted type: what a file holds cannot go anywhere, nor become HTML. */
export const VIEWER_POLICY =
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

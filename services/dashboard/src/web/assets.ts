/** What pages load: our style, our modules as JavaScript, and idiomorph. Read and stripped of types once, at start. */
import { readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const CLIENT = join(import.meta.dirname, '../../client');
const SCRIPT = 'text/javascript; charset=utf-8';

/** Spaces take the place of types, so that lines and columns in a browser's messages are those of the source. */
const stripped = (name: string): Asset => ({
  type: SCRIPT,
  body: Buffer.from(stripTypeScriptTypes(readFileSync(join(CLIENT, `${name}.ts`), 'utf8'))),
});

/** By their path below `/assets/`. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const idiomorph = createRequire(import.meta.url).resolve('idiomorph/dist/idiomorph.min.js');
  return new Map([
    [
      'board.css',
      { type: 'text/css; charset=utf-8', body: readFileSync(join(import.meta.dirname, '../page/board.css')) },
    ],
    [
      'console.css',
      {
        type: 'text/css; charset=utf-8',
        body: readFileSync(join(import.meta.dirname, '../console/console.css')),
      },
    ],
    [
      'icon.svg',
      { type: 'image/svg+xml', body: readFileSync(join(import.meta.dirname, '../page/icon.svg')) },
    ],
    ['board.js', stripped('board')],
    // the package ships its small form as a script alone: as a module it has to say what it exports
    [
      'idiomorph.js',
      {
        type: SCRIPT,
        body: Buffer.concat([readFileSync(idiomorph), Buffer.from('\nexport { Idiomorph };\n')]),
      },
    ],
  ]);
}

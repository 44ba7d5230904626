/** iconv-lite, loaded by the first text that needs it: ASCII, Latin-1 and UTF-8, nearly all there is, do without. */
import { createRequire } from 'node:module';
import type Iconv from 'iconv-lite';

const require = createRequire(import.meta.url);
let loaded: typeof Iconv | undefined;

export const iconv = (): typeof Iconv => (loaded ??= require('iconv-lite') as typeof Iconv);

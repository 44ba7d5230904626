/**
 * How the process itself is set up, before the rest is loaded: V8's settings for memory, and code that was compiled
 * at an earlier start. Imported as `@scanflow/runtime/boot`, first and alone: the rest by `await import` after it.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/*
 * What is read makes much that is dropped at once: V8 would take 64 MB for it and hardly give them back, and lets 32 MB
 * of young objects lie, and the buffers of image bytes that hang on them. Collected more often in 1 MB, it takes as long.
 */
setFlagsFromString('--semi-space-growth-factor=1');
/*
 * What outlives two of these collections lies among the old objects until those are collected. V8 by itself waits until they
 * have become up to four times as many: 10 kB per image lay there while a series was stored, up to the end of the series.
 */
setFlagsFromString('--heap-growing-percent=30');

/** Beside the modules, so that who may write there may write the code as well. */
const FOLDER = fileURLToPath(new URL('../../../node_modules/.cache/scanflow', import.meta.url));
/** How often this process has begun anew; only ours has it. */
const ROUND = 'SCANFLOW_COMPILED';
/** What Node.js turns TypeScript into JavaScript with: it takes 20 MB, and is loaded where something is not compiled yet. */
const STRIPPER = 'NativeModule internal/deps/amaro/dist/index';

/** The part of `process` that beginning anew takes. */
export interface Beginning {
  readonly env: NodeJS.ProcessEnv;
  readonly execPath: string;
  readonly execArgv: readonly string[];
  /** From the program's name on. */
  readonly argv: readonly string[];
  readonly execve?: (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never;
  /** The modules of Node.js itself that are loaded. Node.js does not document the list. Without it, a cold start goes on as it is. */
  readonly moduleLoadList?: readonly string[];
}

/**
 * Begins the program anew, in the same process and under its id, with what Node.js compiled before: half the time to
 * start, and 20 MB less for as long as it runs. Returns, and all goes on as it is, where NODE_COMPILE_CACHE says what to
 * use, nothing can be written beside the modules, or the system cannot do it.
 */
export function beginCompiled(begun: Beginning): void {
  const { NODE_COMPILE_CACHE: given = '', NODE_DISABLE_COMPILE_CACHE: unwanted = '' } = begun.env;
  if (given === '' && unwanted === '' && isWritable())
    begin(begun, { NODE_COMPILE_CACHE: FOLDER, [ROUND]: '1' });
}

/** Once all is loaded: what had to be compiled for it is kept, and the process begins anew a last time to be rid of it. */
export function beginAgainIfCold(begun: Beginning): void {
  if (begun.env[ROUND] !== '1' || begun.moduleLoadList?.includes(STRIPPER) !== true) return;
  flushCompileCache();
  begin(begun, { [ROUND]: '2' });
}

function begin({ env, execPath, execArgv, argv, execve }: Beginning, more: NodeJS.ProcessEnv): void {
  try {
    execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...env, ...more });
  } catch {
    // it starts as it would without this
  }
}

function isWritable(): boolean {
  try {
    mkdirSync(FOLDER, { recursive: true });
    accessSync(FOLDER, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

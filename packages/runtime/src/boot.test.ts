import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginAgainIfCold, beginCompiled, type Beginning } from './boot.ts';

interface Begun {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A process that does not really begin anew: where it would, it comes back, as where the system refuses to. */
function beginning(change: Partial<Beginning> = {}): { made: Beginning; begun: Begun[] } {
  const begun: Begun[] = [];
  const made = {
    env: { KEPT: 'yes' },
    execPath: '/usr/bin/node',
    execArgv: ['--inspect'],
    argv: ['/usr/bin/node', '/app/main.ts', '--config', 'x.yaml'],
    execve: (_file: string, args: readonly string[], env: NodeJS.ProcessEnv): never => {
      begun.push({ args, env });
      throw new Error('refused');
    },
    ...change,
  };
  return { made, begun };
}
const STRIPPED = ['NativeModule fs', 'NativeModule internal/deps/amaro/dist/index'];

test('boot: the process begins anew with the folder of compiled code, its arguments and its environment', () => {
  const { made, begun } = beginning();
  beginCompiled(made);
  const [{ args, env } = { args: [], env: {} }] = begun;
  assert.deepEqual(args, ['/usr/bin/node', '--inspect', '/app/main.ts', '--config', 'x.yaml']);
  assert.equal(env['KEPT'], 'yes');
  assert.match(env['NODE_COMPILE_CACHE'] ?? '', /node_modules\/\.cache\/scanflow$/);
});

test('boot: where the environment says what to do about compiled code, nothing is done', () => {
  for (const env of [{ NODE_COMPILE_CACHE: '/app/.compiled' }, { NODE_DISABLE_COMPILE_CACHE: '1' }]) {
    const { made, begun } = beginning({ env });
    beginCompiled(made);
    assert.deepEqual(begun, []);
  }
});

test('boot: once more where something had to be compiled, and never again', () => {
  const rounds = ['1', '2', undefined].map((SCANFLOW_COMPILED) => {
    const { made, begun } = beginning({ env: { SCANFLOW_COMPILED }, moduleLoadList: STRIPPED });
    beginAgainIfCold(made);
    return begun.map(({ env }) => env['SCANFLOW_COMPILED']);
  });
  assert.deepEqual(rounds, [['2'], [], []]);
  for (const moduleLoadList of [['NativeModule fs'], undefined]) {
    const warm = beginning({
      env: { SCANFLOW_COMPILED: '1' },
      ...(moduleLoadList === undefined ? {} : { moduleLoadList }),
    });
    beginAgainIfCold(warm.made);
    assert.deepEqual(warm.begun, []);
  }
});

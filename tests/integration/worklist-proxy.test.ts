/** Two worklists behind one address, by a real HAProxy with the configuration of docs/swarm.md: scanners keep their addresses, and get answers while either lives. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dcmtk, freePort, run, startProgram, until, type Program } from '@scanflow/testkit';
import {
  encoded,
  find,
  item,
  publish,
  scratch,
  startService,
  worklistFolder,
  type Service,
} from './worklist-support.ts';

/** HAProxy calls the worklists from this one, and scanners call HAProxy from the usual one. */
const PROXY = '127.0.0.9';
const QUERIES = 30;
const LONGEST_MS = 2_000;

/** Debian keeps it where not every user looks. */
const HAPROXY = process.env['HAPROXY'] ?? '/usr/sbin/haproxy';
const installed = await run(HAPROXY, ['-v']).then(
  ({ code }) => code === 0,
  () => false,
);
const skip = installed ? false : 'NOT RUN: HAPROXY IS NOT HERE';

/** The block of the page, with the ports of this test. */
async function startHaproxy(folder: string, one: Service, two: Service): Promise<[number, Program]> {
  const page = await readFile(join(import.meta.dirname, '../../docs/swarm.md'), 'utf8');
  const [, block = ''] = /<!-- test: file haproxy\.cfg -->\n\n```\w*\n(.*?)```/s.exec(page) ?? [];
  const port = await freePort();
  const config = block
    .replace('bind :11112', `bind 127.0.0.1:${port}`)
    .replace('192.0.2.11:11112', `127.0.0.1:${one.port} source ${PROXY}`)
    .replace('192.0.2.12:11112', `127.0.0.1:${two.port} source ${PROXY}`);
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, config);
  assert.equal(config.match(/source 127\.0\.0\.9 send-proxy-v2/g)?.length, 2, config);
  const program = await startProgram(HAPROXY, ['-db', '-f', file]);
  return [port, program];
}

interface Queries {
  readonly queries: readonly { readonly address: string }[];
}

test(
  'two worklists behind HAProxy: each scanner has its own address, and one that is killed delays nobody by 2 s',
  { skip },
  async (t) => {
    const data = await scratch(t);
    await publish(await worklistFolder(data), 'A1.wl', encoded(item('A1')));
    const worklist = [`proxies: [${PROXY}]`];
    const one = await startService(t, { data, worklist });
    const two = await startService(t, { data, worklist });
    const [port, haproxy] = await startHaproxy(data, one, two);
    t.after(() => haproxy.stop('SIGKILL'));
    const ask = async (): Promise<number> => {
      const started = performance.now();
      const { answers, output } = await find(t, port, ['AccessionNumber'], { callingAet: 'PRISMA' });
      assert.equal(answers.length, 1, output);
      return performance.now() - started;
    };
    await until(
      () =>
        ask().then(
          () => true,
          () => false,
        ),
      { what: 'HAProxy answers', timeoutMs: 20_000 },
    );
    for (let n = 0; n < 4; n += 1) await ask();
    for (const service of [one, two]) {
      const { queries } = (await service.get('/api/queries')) as Queries;
      assert.ok(queries.length >= 2, 'each gets its share');
      assert.deepEqual([...new Set(queries.map(({ address }) => address))], ['127.0.0.1']);
    }

    // whoever is no proxy cannot say who it is, and a proxy has to
    const direct = await dcmtk('echoscu', [
      '-aet',
      'PRISMA',
      '-aec',
      'SCANFLOW',
      '127.0.0.1',
      String(one.port),
    ]);
    assert.equal(direct.code, 0, direct.stderr);

    let slowest = 0;
    for (let n = 0; n < QUERIES; n += 1) {
      if (n === 5) await one.program.stop('SIGKILL');
      slowest = Math.max(slowest, await ask());
    }
    t.diagnostic(`one of two killed: ${QUERIES} queries, the slowest took ${slowest.toFixed(0)} ms`);
    assert.ok(slowest < LONGEST_MS, `${slowest} ms`);
  },
);

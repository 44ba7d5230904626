/** A real HAProxy with the configuration of docs/swarm.md, in front of two of something on this machine. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, run, startProgram, type Program } from '@scanflow/testkit';
import type { Owner } from './worklist-support.ts';

/** HAProxy calls from this address, and scanners call HAProxy from others. */
export const PROXY = '127.0.0.9';

/** Debian keeps it where not every user looks. */
const HAPROXY = process.env['HAPROXY'] ?? '/usr/sbin/haproxy';
const installed = await run(HAPROXY, ['-v']).then(
  ({ code }) => code === 0,
  () => false,
);
export const skip = installed ? false : 'NOT RUN: HAPROXY IS NOT HERE';

export interface Haproxy {
  readonly port: number;
  readonly program: Program;
}

/** The block of the page, with the ports of a test; `folder` gets its file. */
export async function startHaproxy(
  t: Owner,
  folder: string,
  [one, two]: readonly [number, number],
): Promise<Haproxy> {
  const page = await readFile(join(import.meta.dirname, '../../docs/swarm.md'), 'utf8');
  const [, block = ''] = /<!-- test: file haproxy\.cfg -->\n\n```\w*\n(.*?)```/s.exec(page) ?? [];
  const port = await freePort();
  const config = block
    .replace('bind :11112', `bind 127.0.0.1:${port}`)
    .replace('192.0.2.11:11112', `127.0.0.1:${one} source ${PROXY}`)
    .replace('192.0.2.12:11112', `127.0.0.1:${two} source ${PROXY}`);
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, config);
  assert.equal(config.match(/source 127\.0\.0\.9 send-proxy-v2/g)?.length, 2, config);
  const program = await startProgram(HAPROXY, ['-db', '-f', file]);
  t.after(() => program.stop('SIGKILL'));
  return { port, program };
}

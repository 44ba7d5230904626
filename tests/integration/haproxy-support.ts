/** A real HAProxy with the configuration of our pages, in front of two of something on this machine. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Dial } from '@scanflow/dimse';
import { freePort, run, startProgram } from '@scanflow/testkit';
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

/** The block of each page. */
const BLOCKS = {
  worklist: { page: 'swarm.md', file: 'haproxy.cfg' },
  receiver: { page: 'scale.md', file: 'haproxy-receiver.cfg' },
} as const;

async function blockOf(name: keyof typeof BLOCKS): Promise<string> {
  const { page, file } = BLOCKS[name];
  const text = await readFile(join(import.meta.dirname, '../../docs', page), 'utf8');
  const found = new RegExp(
    `<!-- test: file ${file.replace('.', '\\.')} -->\n\n\`\`\`\\w*\n(.*?)\`\`\``,
    's',
  ).exec(text);
  assert.ok(found?.[1] !== undefined, `${page} has ${file}`);
  return found[1];
}

/** Starts it with a section of the documentation in front of two ports of this machine, and gives its port. `folder` gets its file. */
export async function startHaproxy(
  t: Owner,
  folder: string,
  section: keyof typeof BLOCKS,
  [one, two]: readonly [number, number],
): Promise<number> {
  const port = await freePort();
  const [defaults = ''] = (await blockOf('worklist')).split(/^(?=listen )/m);
  const [, listen = ''] = /^(listen .*)$/ms.exec(await blockOf(section)) ?? [];
  const config =
    defaults +
    listen
      .replace(/bind :\d+/, `bind 127.0.0.1:${port}`)
      .replace(/192\.0\.2\.11:\d+/, `127.0.0.1:${one} source ${PROXY}`)
      .replace(/192\.0\.2\.12:\d+/, `127.0.0.1:${two} source ${PROXY}`);
  const file = join(folder, `haproxy-${port}.cfg`);
  await writeFile(file, config);
  assert.equal(config.match(/source 127\.0\.0\.9 send-proxy-v2/g)?.length, 2, config);
  const program = await startProgram(HAPROXY, ['-db', '-f', file]);
  t.after(() => program.stop('SIGKILL'));
  return port;
}

/** From another address of this machine, as a machine of its own. */
export const from =
  (localAddress: string): Dial =>
  async ({ host, port }, signal) => {
    const socket = connect({ host, port, localAddress });
    await once(socket, 'connect', { signal });
    return socket;
  };

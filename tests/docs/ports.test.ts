/** The ports that the compose files publish are those that the pages, and the warnings about a configuration, speak of. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { configWarnings, parseConfig, type Config } from '@scanflow/config';
import { parseDocument } from 'yaml';
import { mergeYaml } from './merge.ts';

const ROOT = join(import.meta.dirname, '../..');
const ALL = '0.0.0.0';
const LOOPBACK = '127.0.0.1';

interface Published {
  readonly file: string;
  readonly service: string;
  readonly bind: string;
  /** The setting of the port on the host. */
  readonly setting: string;
  readonly first: number;
  readonly last: number;
  /** In the container. */
  readonly port: number;
}

const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

/** Ports of a compose file, with the settings that .env may change. */
async function publishedBy(file: string): Promise<Published[]> {
  // `!override` and `!reset` stay unresolved, which is no mistake here
  const { services } = parseDocument(await read(file), { merge: true, logLevel: 'silent' }).toJS() as {
    services: Record<string, { ports?: string[] }>;
  };
  return Object.entries(services).flatMap(([service, { ports = [] }]) =>
    ports.map((text) => {
      const form = /^(?:\$\{\w+:-)?([\d.]+)\}?:\$\{(\w+):-(\d+)(?:-(\d+))?\}:(\d+)$/;
      const [, bind = '', setting = '', first = '', last = first, port] = form.exec(text) ?? [];
      assert.ok(
        port !== undefined,
        `${file}, ${service}: ${text} has no address and port that .env may change`,
      );
      return { file, service, bind, setting, first: Number(first), last: Number(last), port: Number(port) };
    }),
  );
}

/** Cells of the table below a heading. */
function tableBelow(text: string, heading: string): string[][] {
  const [, section = ''] = text.split(`\n${heading}\n`);
  const rows = Array.from((section.split('\n## ')[0] ?? '').matchAll(/^\| (.*) \|$/gm), ([, row = '']) =>
    row.split(/ *\| */),
  );
  assert.ok(rows.length > 3, heading);
  return rows.slice(1).filter(([first = '']) => !/^-+$/.test(first));
}

/** Numbers of ports in a text; `9101–9103` are three. */
const portsIn = (text: string): number[] =>
  Array.from(text.matchAll(/(\d+)(?:–(\d+))?/g), ([, first, last = first]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index),
  ).flat();

const portsOf = ({ first, last }: Published): number[] => portsIn(`${first}–${last}`);
const sorted = (ports: Iterable<number>): number[] => [...new Set(ports)].toSorted((a, b) => a - b);

let stack: Published[];
let demo: Published[];
before(async () => {
  const files = await Array.fromAsync(glob('compose*.yaml', { cwd: ROOT }));
  const all = (await Promise.all(files.map(publishedBy))).flat();
  demo = all.filter(({ file }) => file === 'compose.demo.yaml');
  stack = all.filter(({ file }) => file !== 'compose.demo.yaml');
});

const at = (bind: string): number[] => sorted(stack.filter((one) => one.bind === bind).flatMap(portsOf));

test('ports: each is open to all machines, or on loopback only; the demo takes free ones of loopback', () => {
  assert.deepEqual(sorted([...at(ALL), ...at(LOOPBACK)]), sorted(stack.flatMap(portsOf)));
  assert.deepEqual(new Set(demo.map(({ bind, first }) => `${bind}:${first}`)), new Set([`${LOOPBACK}:0`]));
});

test('ports: no two services take the same one, whichever overlays are used', () => {
  const takers = new Map<number, Set<string>>();
  for (const one of stack)
    for (const port of portsOf(one))
      takers.set(port, (takers.get(port) ?? new Set()).add(`${one.service} ${one.port}`));
  assert.deepEqual(
    [...takers].filter(([, by]) => by.size > 1).map(([port, by]) => `${port}: ${[...by].join(' and ')}`),
    [],
  );
});

test('ports: the firewall table of install.md has those that other machines reach, and those that none does', async () => {
  const rows = tableBelow(await read('docs/install.md'), '## Firewall');
  const into = rows.filter(([, to]) => to === 'this machine');
  const ports = (wanted: boolean): number[] =>
    sorted(
      into
        .filter(([from]) => (from === 'nobody else') === wanted)
        .flatMap(([, , port = '']) => portsIn(port)),
    );
  // what the reader opens: a reverse proxy, and the second port of the receiver
  const own = [443, 2762];
  assert.deepEqual(ports(false), sorted([...at(ALL), ...own]));
  const closed = ports(true);
  assert.deepEqual(
    at(LOOPBACK).filter((port) => !closed.includes(port)),
    [],
  );
  assert.deepEqual(
    closed.filter((port) => ports(false).includes(port)),
    [],
  );
  for (const port of own) assert.ok(!stack.flatMap(portsOf).includes(port), `${port} is published by itself`);
});

test('ports: the first table of security.md says where each listens', async () => {
  const rows = tableBelow(await read('docs/security.md'), '## Who may do what, by default');
  const where = (word: string): number[] =>
    sorted(rows.filter(([, listens]) => listens === word).flatMap(([what = '']) => portsIn(what)));
  const always = stack.filter(({ file }) => file !== 'compose.commitment.yaml');
  assert.deepEqual(where('all'), sorted(always.filter(({ bind }) => bind === ALL).flatMap(portsOf)));
  assert.deepEqual(where('loopback'), at(LOOPBACK));
  assert.deepEqual(where('off'), sorted(stack.filter((one) => !always.includes(one)).flatMap(portsOf)));
  const { http, bids } = await configuration('bids: { repeats: last }');
  const hidden = [...Object.values(http.ports), bids?.port ?? 0].filter(
    (port) => !at(LOOPBACK).includes(port),
  );
  assert.deepEqual(where('none in containers'), sorted(hidden));
});

test('ports: the settings of install.md have the defaults of the compose files', async () => {
  const text = await read('docs/install.md');
  const compose = await read('compose.yaml');
  const rows = tableBelow(text, '## Your own configuration').map(([names = '', defaults = '']) =>
    [names, defaults].map((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, word]) => word)),
  );
  const told = rows.flatMap(([names = [], defaults = []]) =>
    names.flatMap((name, index) => (/_(?:BIND|PORT)$/.test(name ?? '') ? [[name, defaults[index]]] : [])),
  );
  assert.equal(told.length, 6);
  for (const [name, value] of told)
    assert.ok(compose.includes(`\${${name}:-${value}}`), `compose.yaml has no ${name} that is ${value}`);
});

/** The sample with a piece of YAML in it. */
async function configuration(piece: string): Promise<Config> {
  const sample = await read('config/scanflow.yaml');
  const parsed = parseConfig(piece === '' ? sample : mergeYaml(sample, piece), 'scanflow.yaml');
  assert.ok(parsed.ok);
  return parsed.config;
}

const warned = async (piece: string): Promise<string[]> =>
  configWarnings(await configuration(piece), { inContainer: true }).map(({ message }) => message);

test('ports: a configuration without ports has those that are published', async () => {
  assert.deepEqual(await warned('commitments: { bind: 0.0.0.0 }'), []);
  const { http } = await configuration('');
  for (const [service, port] of Object.entries(http.ports)) {
    const pages = stack.filter((one) => one.service === service && /^91/.test(String(one.port)));
    assert.ok(
      pages.every((one) => one.port === port),
      `${service} has its pages at ${port}`,
    );
  }
});

for (const [section, service, port] of [
  ['worklist', 'worklist', 11112],
  ['receiver', 'receiver', 4242],
  ['commitments', 'streamer', 11113],
  ['dashboard', 'dashboard', 8080],
] as const)
  test(`ports: the warning about another ${section}.port names the published one and its setting`, async () => {
    const [published] = stack.filter((one) => one.service === service && one.port === port);
    assert.ok(published !== undefined);
    const [message = ''] = await warned(`${section}: { bind: 0.0.0.0, port: 4711 }`);
    assert.ok(
      message.startsWith(`${published.file} publishes port ${port} of the container, not 4711`),
      message,
    );
    assert.ok(message.includes(`set ${published.setting}=4711 in .env`), message);
  });

test('swarm: the sample is that of several streamers, and believes the network of HAProxy, as the stack file has it', async () => {
  const text = await read('deploy/swarm/scanflow.yaml');
  const plain = text.replace(/^receiver:\n {2}proxies: .*\n\n/m, '').replace(/^ {2}proxies: .*\n/m, '');
  assert.equal(plain, await read('config/scanflow.scale.yaml'));
  const parsed = parseConfig(text, 'scanflow.yaml');
  assert.ok(parsed.ok);
  const { worklist, receiver } = parsed.config;
  const [subnet] = worklist.proxies;
  assert.deepEqual([worklist.proxies, receiver.proxies], [[subnet], [subnet]]);
  const stackFile = await read('deploy/swarm/stack.yaml');
  assert.ok(stackFile.includes(`\${SCANFLOW_FRONT:-${String(subnet)}}`), String(subnet));
});

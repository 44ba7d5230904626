import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { until } from '@scanflow/testkit';
import type { Log } from '@scanflow/runtime';
import { loadConfig, watchConfig } from './load.ts';
import { configSchema } from './schema.ts';
import { fileNames } from './values.ts';

const folder = await mkdtemp(join(tmpdir(), 'scanflow-config-'));
after(() => rm(folder, { recursive: true, force: true }));

async function problem(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  const result = await loadConfig(path);
  return result.ok ? '' : (result.issues[0]?.message ?? '');
}

test('loadConfig: a missing file is an issue', async () => {
  const result = await loadConfig(join(folder, 'none.yaml'));
  assert.match(result.ok ? '' : (result.issues[0]?.message ?? ''), /cannot be read: ENOENT/);
});

test('loadConfig: a folder is an issue', async () => {
  const result = await loadConfig(folder);
  assert.match(result.ok ? '' : (result.issues[0]?.message ?? ''), /cannot be read/);
});

test('loadConfig: more than 1 MiB is refused', async () =>
  assert.match(await problem('big.yaml', '#'.repeat(1_048_577)), /larger than 1 MiB/));

test('loadConfig: what is not UTF-8 is refused', async () =>
  assert.match(
    await problem('latin1.yaml', Buffer.from('facility: { name: Zürich }', 'latin1')),
    /not UTF-8/,
  ));

test('loadConfig: file names are relative to the folder of the configuration', async () => {
  const path = join(folder, 'scanflow.yaml');
  await writeFile(
    path,
    [
      'facility: { name: Here, timezone: UTC }',
      'data: /data',
      'scanners: { a: { aet: A, modality: MR } }',
      'calendars: { a: { scanner: a, file: calendars/a.ics } }',
      'orthanc: { url: http://o:8042, username: u, passwordFile: secrets/o }',
      'storage: { root: /project }',
    ].join('\n'),
  );
  const result = await loadConfig(path);
  assert.ok(result.ok);
  assert.equal(result.config.calendars['a']?.file, join(folder, 'calendars/a.ics'));
  assert.equal(result.config.orthanc.passwordFile, join(folder, 'secrets/o'));
});

test('loadConfig: so are those of destinations, of the receiver and of reports of commitment', async () => {
  const path = join(folder, 'relative.yaml');
  const tls = '{ key: tls/k, certificate: tls/c, ca: tls/ca }';
  await writeFile(
    path,
    [
      textOf('Here').slice(0, -1),
      `, "receiver": { tls: ${tls} }, "commitments": { tls: ${tls} }`,
      ', "bookings": { projects: { file: projects.txt } }',
      ', "destinations": { w: { url: "https://pacs", username: u, passwordFile: secrets/w }',
      ', t: { url: "https://pacs", tokenFile: secrets/t } } }',
    ].join(''),
  );
  const result = await loadConfig(path);
  assert.ok(result.ok, JSON.stringify(result));
  const { receiver, commitments, destinations, bookings } = result.config;
  assert.equal(destinations['w']?.passwordFile, join(folder, 'secrets/w'));
  assert.equal(destinations['t']?.tokenFile, join(folder, 'secrets/t'));
  assert.equal(bookings.projects?.file, join(folder, 'projects.txt'));
  for (const files of [receiver.tls, commitments?.tls])
    assert.deepEqual(
      [files?.key, files?.certificate, files?.ca],
      ['k', 'c', 'ca'].map((name) => join(folder, 'tls', name)),
    );
});

test('loadConfig: every key that names a file is made absolute', () => {
  const names = /^(?:file|folder|key|certificate|ca|[a-z]+File)$/i;
  const seen: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    const { def } = schema as { readonly def: Readonly<Record<string, unknown>> };
    const key = path.split('.').at(-1) ?? '';
    if (def['type'] === 'string' && names.test(key) && !path.startsWith('.hooks.*.environment')) {
      seen.push(path);
      assert.ok(
        fileNames.get(schema as typeof configSchema) !== undefined,
        `${path} is made with file of values.ts`,
      );
    }
    for (const inner of [
      def['innerType'],
      def['element'],
      ...((def['options'] as unknown[] | undefined) ?? []),
    ])
      if (inner !== undefined) visit(inner, path);
    if (def['valueType'] !== undefined) visit(def['valueType'], `${path}.*`);
    for (const [name, inner] of Object.entries((def['shape'] as object | undefined) ?? {}))
      visit(inner, `${path}.${name}`);
  };
  visit(configSchema, '');
  assert.ok(seen.length > 30, seen.join());
});

const textOf = (name: string): string =>
  JSON.stringify({
    facility: { name, timezone: 'UTC' },
    data: '/data',
    scanners: {},
    orthanc: { url: 'http://orthanc:8042' },
    storage: { root: '/project' },
  });
test("loadConfig: the sample for several streamers does not run beside a facility's own scanflow.yaml", async () => {
  const own = await mkdtemp(join(folder, 'scale-'));
  const [scale, plain] = [join(own, 'scanflow.scale.yaml'), join(own, 'scanflow.yaml')];
  await cp(join(import.meta.dirname, '../../../config/scanflow.scale.yaml'), scale);
  assert.ok((await loadConfig(scale)).ok, 'alone');
  await cp(join(import.meta.dirname, '../../../config/scanflow.yaml'), plain);
  assert.ok((await loadConfig(scale)).ok, 'beside the sample');
  await writeFile(plain, textOf('Donders'));
  const result = await loadConfig(scale);
  assert.match(
    result.ok ? '' : (result.issues[0]?.message ?? ''),
    /^is the sample .* of Donders: .*SCANFLOW_CONFIG_FILE=scanflow\.yaml/,
  );
  await writeFile(scale, textOf('Donders'));
  assert.ok((await loadConfig(scale)).ok, 'a file of its own');
  await writeFile(scale, textOf('Example Imaging Centre'));
  assert.ok((await loadConfig(scale)).ok, 'a file with scanners of its own works on, whatever its name');
});

const SOON = { timeoutMs: 10_000, everyMs: 5 };

interface Watched {
  readonly file: string;
  readonly used: string[];
  /** Resolves when the next line of this event is logged; gives its fields. */
  readonly logged: (event: string, count?: number) => Promise<string>;
}

/** A file that is watched, with what was used of it. */
async function watched(t: TestContext): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-watch-'));
  const file = join(folder, 'scanflow.yaml');
  await writeFile(file, textOf('first'));
  const used: string[] = [];
  const lines: [level: string, event: string, fields: string][] = [];
  const write =
    (level: string) =>
    (event: string, fields?: object): void =>
      void lines.push([level, event, JSON.stringify(fields)]);
  const log: Log = {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    child: () => log,
  };
  const watch = watchConfig({ file, log, use: ({ facility }) => void used.push(facility.name), everyMs: 5 });
  t.after(async () => {
    watch.close();
    await rm(folder, { recursive: true, force: true });
  });
  const logged = async (event: string, count = 1): Promise<string> => {
    const found = (): (typeof lines)[number][] =>
      lines.filter(([level, name]) => `${level} ${name}` === event);
    await until(() => found().length >= count, { what: event, ...SOON });
    assert.equal(found().length, count, `${event} is logged once for each change`);
    return found().at(-1)?.[2] ?? '';
  };
  return { file, used, logged };
}

/** Another file takes the name, as editors and `kubectl` do. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

test('watchConfig: a valid change is used', async (t) => {
  const { file, used, logged } = await watched(t);
  await replace(file, textOf('second'));
  await logged('info configuration.changed');
  assert.deepEqual(used, ['second']);
});

test('watchConfig: one with mistakes is a warning that says which, and what was used before stays', async (t) => {
  const { file, used, logged } = await watched(t);
  await replace(file, textOf('second').replace('"UTC"', '"Nowhere/Land"'));
  const warning = await logged('warn configuration.unusable');
  assert.match(warning, /timezone/);
  assert.match(warning, /stays in use; correct the file/);
  assert.deepEqual(used, []);
  await replace(file, textOf('third'));
  await logged('info configuration.changed');
  assert.deepEqual(used, ['third']);
});

test('watchConfig: a file that is gone is a warning, and counts again once it is back', async (t) => {
  const { file, used, logged } = await watched(t);
  await replace(file, textOf('second'));
  await logged('info configuration.changed');
  await rm(file);
  assert.match(await logged('warn configuration.unusable'), /ENOENT/);
  assert.deepEqual(used, ['second']);
  await writeFile(file, textOf('back'));
  await until(() => used.at(-1) === 'back', { what: 'the file is used again', ...SOON });
});

test('watchConfig: a file that stays as it is changes nothing', async (t) => {
  const { file, used, logged } = await watched(t);
  // two changes bound the looks between them
  await replace(file, textOf('second'));
  await logged('info configuration.changed');
  await replace(file, textOf('third'));
  await logged('info configuration.changed', 2);
  assert.deepEqual(used, ['second', 'third']);
});

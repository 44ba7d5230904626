/** Metrics: docs/metrics.md lists what each running service exports, and alerts and dashboard use nothing else. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { HOOK_WAITS_HOURS } from '@scanflow/config';
import { freePort, makeSelfSigned, run, startProgram, until, type Program } from '@scanflow/testkit';

const ROOT = join(import.meta.dirname, '../..');
const SERVICES = ['cal2wl', 'worklist', 'receiver', 'streamer', 'dashboard', 'bids'] as const;
type Service = (typeof SERVICES)[number];

interface Metric {
  readonly type: string;
  readonly help: string;
  /** Of its samples; empty where there are none. */
  readonly labels: ReadonlySet<string>;
  readonly sampled: boolean;
}

const texts = new Map<Service, string>();
const programs: Program[] = [];
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scanflow-metrics-'));
  const config = await configuration();
  await Promise.all(
    SERVICES.map(async (service) => {
      const main = join(ROOT, `services/${service}/src/main.ts`);
      programs.push(await startProgram(process.execPath, [main, '--config', config.file]));
    }),
  );
  await Promise.all(SERVICES.map((service) => scraped(service, config.ports[service])));
});
after(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  await rm(folder, { recursive: true });
});

/** A facility with one of everything that has labels; Orthanc does not answer. */
async function configuration(): Promise<{ file: string; ports: Readonly<Record<Service, number>> }> {
  const [cal2wl, worklist, receiver, streamer, dashboard, bids = 0, ...dicom] = await Promise.all(
    Array.from({ length: 9 }, () => freePort()),
  );
  const ports = { cal2wl, worklist, receiver, streamer, dashboard } as Record<
    Exclude<Service, 'bids'>,
    number
  >;
  const project = join(folder, 'project');
  await Promise.all([project, join(folder, 'other'), join(folder, 'copy')].map((path) => mkdir(path)));
  const { certificate, key } = await makeSelfSigned(folder, 'localhost');
  const calendar = join(folder, 'calendar.ics');
  await writeFile(calendar, 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\nEND:VCALENDAR\r\n');
  const password = join(folder, 'password');
  await writeFile(password, 'lab', { mode: 0o600 });
  const file = join(folder, 'scanflow.yaml');
  const tls = { certificate, key };
  await writeFile(
    file,
    JSON.stringify({
      facility: { name: 'Here', timezone: 'Europe/Amsterdam' },
      data: folder,
      scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
      calendars: {
        prisma: { file: calendar, scanner: 'prisma' },
        answered: {
          caldav: 'http://127.0.0.1:9/lab/',
          username: 'lab',
          passwordFile: password,
          answer: {},
          scanner: 'prisma',
        },
      },
      bookings: { every: '1s' },
      worklist: { port: dicom[0], tls },
      receiver: { port: dicom[1] },
      orthanc: { url: 'http://127.0.0.1:9' },
      storage: {
        root: project,
        projects: { '3010000.01': { root: join(folder, 'other') } },
        copy: { root: join(folder, 'copy') },
        freeSpace: '1MB',
      },
      destinations: { pacs: { host: '127.0.0.1', port: 9, aet: 'PACS', callingAet: 'SCANFLOW' } },
      hooks: { told: { on: ['complete'], command: ['/bin/true'] } },
      http: { bind: '127.0.0.1', ports },
      dashboard: { port: dicom[2] },
      bids: { port: bids },
    }),
  );
  return { file, ports: { ...ports, bids } };
}

/** Keeps the answer once there was something to count. */
async function scraped(service: Service, port: number): Promise<void> {
  await until(
    async () => {
      assert.ok(programs.every((program) => !program.exited()));
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
      const text = (await answer?.text()) ?? '';
      texts.set(service, text);
      return COUNTED[service].test(text);
    },
    { what: `${service} has metrics`, timeoutMs: 60_000 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${programs.map((program) => program.output()).join('\n')}`);
  });
}

/** A sample that comes late. */
const COUNTED: Readonly<Record<Service, RegExp>> = {
  cal2wl: /^scanflow_cal2wl_fetches_total\{.*\} [1-9]/m,
  worklist: /^scanflow_worklist_load_ok 1$/m,
  receiver: /^scanflow_receiver_orthanc_up 0$/m,
  streamer: /^scanflow_streamer_orthanc_up 0$/m,
  dashboard: /^scanflow_dashboard_users 0$/m,
  bids: /^scanflow_bids_waiting 0$/m,
};

/** Metrics of the text format, by name. */
function metricsIn(text: string): ReadonlyMap<string, Metric> {
  const found = new Map<string, { type: string; help: string; labels: Set<string>; sampled: boolean }>();
  for (const [, name = '', help = ''] of text.matchAll(/^# HELP (\S+) (.*)$/gm))
    found.set(name, { type: '', help, labels: new Set(), sampled: false });
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const metric = found.get(name);
    assert.ok(metric, name);
    metric.type = type;
  }
  for (const [, sample = '', labels = ''] of text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? \S+$/gm)) {
    const metric = found.get(sample) ?? found.get(sample.replace(/_(?:bucket|sum|count)$/, ''));
    assert.ok(metric, sample);
    metric.sampled = true;
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) if (label !== 'le') metric.labels.add(label);
  }
  return found;
}

interface Documented extends Omit<Metric, 'sampled'> {
  readonly services: readonly string[];
}

/** The table of docs/metrics.md. */
async function documented(): Promise<ReadonlyMap<string, Documented>> {
  const page = await readFile(join(ROOT, 'docs/metrics.md'), 'utf8');
  const rows = page.matchAll(/^\| `(scanflow_\w+)` +\| (\w+) +\| (.*?) +\| (.*?) +\| (.*?) +\|$/gm);
  return new Map(
    Array.from(rows, ([, name = '', type = '', labels = '', help = '', services = '']) => [
      name,
      {
        type,
        help: help.replaceAll('`', ''),
        labels: new Set(Array.from(labels.matchAll(/`(\w+)`/g), ([, label = '']) => label)),
        services: services === 'each' ? SERVICES : services.split(', '),
      },
    ]),
  );
}

test('metrics: docs/metrics.md lists each with its type, labels, meaning and services, and no other', async () => {
  const table = await documented();
  const wrong: string[] = [];
  for (const [service, text] of texts) {
    const metrics = metricsIn(text);
    for (const [name, { type, help, labels, sampled }] of metrics) {
      const row = table.get(name);
      const same =
        row?.type === type &&
        row.help === help &&
        row.services.includes(service) &&
        (!sampled || labels.symmetricDifference(row.labels).size === 0);
      const shown = [...labels].map((label) => `\`${label}\``).join(', ') || '–';
      if (!same) wrong.push(`| \`${name}\` | ${type} | ${shown} | ${help} | ${service} |`);
    }
    for (const [name, { services }] of table)
      if (services.includes(service) && !metrics.has(name)) wrong.push(`${name}: ${service} has none`);
  }
  assert.deepEqual(wrong, [], `docs/metrics.md should have:\n${wrong.join('\n')}\n`);
});

const DEPLOY = join(ROOT, 'deploy');
const read = (file: string): Promise<string> => readFile(join(ROOT, file), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly docs: string };
}

const rules = async (): Promise<readonly Rule[]> =>
  (
    parse(await read('deploy/prometheus/alerts.yml')) as { groups: readonly { rules: readonly Rule[] }[] }
  ).groups.flatMap((group) => group.rules);

type Table = ReadonlyMap<string, Documented>;

/** Metrics and labels that an expression names and the table lacks. */
const unknownIn = (expr: string, table: Table): string[] =>
  [
    ...expr.matchAll(/\b(scanflow_[a-z0-9_]*[a-z0-9])\b(?:\{([^}]*)\})?/g),
    // a pattern of two names
    ...Array.from(
      expr.matchAll(/__name__=~"scanflow_\((\w+)\|(\w+)\)(\w+)"/g),
      ([, one = '', other = '', rest = '']) =>
        [one, other].map((service) => ['', `scanflow_${service}${rest}`, '']),
    ).flat(),
  ].flatMap(([, name = '', matchers = '']) => unknownOf(name, matchers, table));

function unknownOf(name: string, matchers: string, table: Table): string[] {
  const metric = table.get(name) ?? table.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  if (metric === undefined) return [name];
  const labels = Array.from(matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g), ([, label = '']) => label);
  return labels.filter((label) => !metric.labels.has(label)).map((label) => `${name}{${label}}`);
}

test('alerts and dashboard: they name only metrics and labels that a service exports', async () => {
  const table = await documented();
  const dashboard = await read('deploy/grafana/scanflow.json');
  const { panels } = JSON.parse(dashboard) as {
    panels: readonly { targets: readonly { expr: string }[] }[];
  };
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  assert.ok(queries.length > 10);
  const all = [...queries, ...(await rules()).map(({ expr }) => expr)];
  assert.deepEqual(
    all.flatMap((expr) => unknownIn(expr, table)),
    [],
  );
  assert.ok(
    all.every((expr) => !/bytes_stored_total|receiver_associations\b/.test(expr)),
    'old names',
  );
});

test('prometheus: there is a job for each service, at its port; the dashboard shows metrics of each', async () => {
  const { scrape_configs: jobs } = parse(await read('deploy/prometheus/prometheus.yml')) as {
    scrape_configs: readonly { job_name: string }[];
  };
  const text = new Map(jobs.map(({ job_name: name, ...job }) => [name, JSON.stringify(job)]));
  const table = await read('docs/metrics.md');
  const dashboard = await read('deploy/grafana/scanflow.json');
  for (const service of SERVICES) {
    const documented = new RegExp(`(\\d{4})(?= ${service}\\b)|(?<=\`${service}\\.port\`, )\\d{4}`).exec(
      table,
    );
    const port = documented?.[0] ?? 'no port';
    assert.match(
      text.get(`scanflow-${service}`) ?? '',
      new RegExp(`\\b${service}\\b.*\\b${port}\\b`),
      service,
    );
    if (service !== 'dashboard')
      assert.ok(dashboard.includes(`scanflow_${service}_`) || service === 'receiver');
  }
});

test('alerts: each says what happened and what to do, has a test, and stands in docs/metrics.md', async () => {
  const page = await read('docs/metrics.md');
  const tests = await read('deploy/prometheus/alerts.test.yml');
  const rows = Array.from(page.matchAll(/^\| `(Scanflow\w+)` +\| (\w+) +\|.*\]\((\S+)\) +\|$/gm), (row) =>
    row.slice(1).join(' '),
  );
  const all = await rules();
  assert.deepEqual(
    all.map(({ alert, labels, annotations }) =>
      [alert, labels.severity, annotations.docs.replace(/^docs\//, '')].join(' '),
    ),
    rows,
  );
  for (const { alert, annotations } of all) {
    assert.ok(tests.includes(`'${alert} fires'`), alert);
    assert.ok(annotations.summary !== '' && annotations.description !== '', alert);
  }
});

test('alerts: runs of hooks may wait as long as doctor and Health allow', async () => {
  const waits = (await rules()).filter(({ expr }) => expr.includes('scanflow_streamer_hook_oldest_seconds'));
  assert.deepEqual(
    waits.map(({ expr }) => / > (\d+) \* 3600$/.exec(expr)?.[1]),
    [HOOK_WAITS_HOURS.other, HOOK_WAITS_HOURS.bids].map(String),
  );
});

const promtool = await run('promtool', ['--version']).then(
  () => false as const,
  () => 'promtool is not installed: sh scripts/setup.sh --with-tools',
);

test('promtool: configuration, rules and their tests are good', { skip: promtool }, async () => {
  for (const args of [
    ['check', 'config', 'prometheus.yml'],
    ['check', 'rules', 'alerts.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ]) {
    const { code, stdout, stderr } = await run('promtool', args, { cwd: join(DEPLOY, 'prometheus') });
    assert.equal(code, 0, stdout + stderr);
  }
});

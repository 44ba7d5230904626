/** What the tests of every compose stack look at. */
import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dcmtk, run, until } from '@scanflow/testkit';
import { ROOT, type Container, type Project } from './engine.ts';

/** Where the stack does not come up, what its containers said goes along with the error. */
export async function orLogs<T>(project: Project, up: () => Promise<T>): Promise<T> {
  return up().catch(async (error: unknown) => {
    console.error(await project.compose('logs', '--no-color', '--tail', '30').catch(String));
    throw error;
  });
}

/** What compose.yaml asks for every container. */
export function assertHardened(service: string, { Config, HostConfig }: Container): void {
  const who = (what: string): string => `${service}: ${what}`;
  assert.equal(HostConfig.ReadonlyRootfs, true, who('read-only root'));
  assert.equal(HostConfig.Privileged, false, who('not privileged'));
  assert.deepEqual(HostConfig.CapDrop, ['ALL'], who('capabilities dropped'));
  assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'], who('no new privileges'));
  assert.equal(HostConfig.Init, true, who('init'));
  assert.ok((HostConfig.PidsLimit ?? 0) > 0, who('limit of processes'));
  assert.equal(HostConfig.LogConfig.Type, 'json-file', who('log driver'));
  assert.deepEqual(HostConfig.LogConfig.Config, { 'max-file': '5', 'max-size': '10m' }, who('log rotation'));
  assert.ok(!Config.Env.some((entry) => /pass(word)?=|secret.*=/i.test(entry)), who('no secret in env'));
}

/** Answers of a worklist query by this AE title, as text. */
export async function findscu(port: number, aet: string, date = ''): Promise<string> {
  const step = 'ScheduledProcedureStepSequence[0]';
  const keys = ['PatientID', 'AccessionNumber', `${step}.ScheduledProcedureStepStartDate=${date}`];
  const args = ['-W', '-aet', aet, '-aec', 'SCANFLOW', ...keys.flatMap((key) => ['-k', key])];
  const { stdout, stderr } = await dcmtk('findscu', [...args, '127.0.0.1', String(port)]);
  return stdout + stderr;
}
/** The patient IDs that an answer of findscu names. */
export const patientIds = (output: string): string[] =>
  [...output.matchAll(/\(0010,0020\) LO \[([^\]]+)\]/g)].map(([, id]) => id?.trim() ?? '').toSorted();

/** `sh doctor.sh` is content; with a project folder that Docker has to make, `up` fails, and both name it. Then as before. */
export async function assertTypoShows(stack: Project): Promise<void> {
  const env = (): Record<string, string> => ({ ...stack.env, COMPOSE_PROJECT_NAME: stack.name });
  const doctor = (): ReturnType<typeof run> =>
    run('sh', ['doctor.sh'], { cwd: ROOT, env: env(), timeoutMs: 300_000 });
  const well = await doctor();
  assert.equal(well.code, 0, well.stdout + well.stderr);
  const folder = join(tmpdir(), `scanflow-projcet-${process.pid}`);
  try {
    stack.env['SCANFLOW_PROJECT'] = folder;
    await assert.rejects(stack.compose('up', '--detach', '--wait'), /streamer/);
    const found = await doctor();
    assert.equal(found.code, 1, found.stdout + found.stderr);
    assert.ok(found.stdout.includes(`chown 10001:10001 ${folder}`), found.stdout);
    assert.match(found.stdout, /^Something is wrong: streamer$/m);
    assert.doesNotMatch(found.stdout, /\{"time"/, 'last words are a sentence');
    assert.deepEqual(await readdir(folder), [], 'not a byte is written');
  } finally {
    stack.env['SCANFLOW_PROJECT'] = 'project';
    await rm(folder, { recursive: true, force: true });
    await stack.compose('up', '--detach', '--wait');
  }
}

interface Targets {
  readonly activeTargets: readonly { readonly health: string; readonly labels: { readonly job: string } }[];
}

interface RuleGroups {
  readonly groups: readonly {
    readonly rules: readonly { readonly health: string; readonly name: string }[];
  }[];
}

/** Prometheus at this port scrapes each service, and its alerts can be evaluated. */
export async function assertScraped(port: number): Promise<void> {
  const api = async (path: string): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return ((await answer.json()) as { data: unknown }).data;
  };
  const up = async (): Promise<string> =>
    ((await api('targets?state=active')) as Targets).activeTargets
      .filter(({ health }) => health === 'up')
      .map(({ labels }) => labels.job)
      .toSorted()
      .join();
  const jobs = ['cal2wl', 'dashboard', 'receiver', 'streamer', 'worklist'].map((name) => `scanflow-${name}`);
  const patience = { what: 'each service is scraped', timeoutMs: 90_000, everyMs: 1_000 };
  await until(async () => (await up()) === jobs.join(), patience);
  const rules = ((await api('rules?type=alert')) as RuleGroups).groups.flatMap((group) => group.rules);
  assert.ok(rules.length >= 25, `${rules.length} rules`);
  assert.deepEqual(
    rules.filter(({ health }) => health === 'err'),
    [],
  );
}

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '@scanflow/config';
import { FailureError, transient } from '@scanflow/failure';
import { createLog } from '@scanflow/runtime';
import { projectsOf } from './judge.ts';
import { filesOf } from './lead.ts';

test('projects: a cal2wl that no longer leads keeps no list, since another one may have a newer list', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'scanflow-judge-'));
  t.after(() => rm(data, { recursive: true }));
  const list = join(data, 'projects.txt');
  await writeFile(list, '3010000.01\n');
  await mkdir(join(data, 'cal2wl'));
  const parsed = parseConfig(
    JSON.stringify({
      ...{ facility: { name: 'x', timezone: 'UTC' }, data, storage: { root: '/project' } },
      ...{ scanners: { prisma: { aet: 'A', modality: 'MR' } }, orthanc: { url: 'http://127.0.0.1:1' } },
      calendars: { prisma: { file: 'x.ics', scanner: 'prisma' } },
      bookings: { projects: { file: list } },
    }),
    'scanflow.yaml',
  );
  assert.ok(parsed.ok);
  const { config } = parsed;
  const log = createLog({ service: 'cal2wl', level: 'error' });
  const now = Temporal.Instant.from('2026-11-30T12:00:00Z');
  let leads = true;
  const mustHold = (): void => {
    if (!leads) throw new FailureError(transient('STANDBY', 'Another one leads.'));
  };
  // it stops to lead after it read the list, and before the copy gets its name
  const require = (): Promise<void> => {
    leads = false;
    return Promise.resolve();
  };
  const ended = projectsOf(config, log, filesOf({ require, mustHold, holds: () => leads })).get('prisma');
  await assert.rejects(ended?.read(now, AbortSignal.timeout(10_000)) ?? Promise.resolve(), {
    code: 'STANDBY',
  });
  assert.deepEqual(await readdir(join(data, 'cal2wl')), []);
  const alone = projectsOf(config, log).get('prisma');
  assert.equal((await alone?.read(now, AbortSignal.timeout(10_000)))?.failure, undefined);
  assert.equal(await readFile(join(data, 'cal2wl/prisma.projects'), 'utf8'), '3010000.01\n');
});

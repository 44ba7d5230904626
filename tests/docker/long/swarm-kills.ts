/** One container of each service is killed, one after the other, while scanners query, send and report: nothing is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '@scanflow/testkit';
import { docker } from '../engine.ts';
import { FIRST, SCANNER } from './swarm-node.ts';
import { beginExam, endExam, getsList, Scanners, Sender, worklistAt } from './swarm-scanners.ts';
import { dataSets, type Stack } from './swarm-support.ts';

const SCANNERS = 10;
const IMAGES = 4;
/** A scanner waits so long for a list if a worklist dies, or if what is behind it dies; and if the one HAProxy dies. */
const [LONGEST_MS, LONGEST_PROXY_MS] = [2_000, 20_000];
const SERVICES = ['streamer', 'cal2wl', 'receiver', 'orthanc', 'postgres', 'dashboard'] as const;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** Registers the tests, which need a stack with two worklists and three streamers. */
export function testKills(stackOf: () => Stack): void {
  /** Kills a container, and waits until another is healthy in its place. Gives what scanners and the service lived through. */
  const kill = async (scanners: Scanners, service: string, victim?: string) => {
    const stack = stackOf();
    const all = await stack.containers(service);
    const killed = victim ?? all[0];
    assert.ok(killed !== undefined, service);
    let replaced = 0;
    const away = await scanners.during(async () => {
      const started = performance.now();
      await docker('kill', '--signal', 'KILL', killed);
      const isBack = async (): Promise<boolean> => {
        const now = await stack.containers(service);
        return now.length === all.length && !now.includes(killed);
      };
      await until(isBack, { what: `another ${service} is healthy`, timeoutMs: 180_000, everyMs: 250 });
      replaced = performance.now() - started;
    });
    return { away, replaced };
  };

  test('swarm: one container of each is killed under load; scanners get lists, exams end, and every image is stored', async (t) => {
    const stack = stackOf();
    const { ports } = stack.machine;
    const prisma = worklistAt(FIRST, ports.worklist, SCANNER);
    const stored = (await dataSets(stack.project)).length;
    const scanners = new Scanners(SCANNERS, () => getsList(prisma));
    const sender = new Sender(stack.machine.path('/srv/arrivals'), ports.dicom, IMAGES);
    t.after(() => Promise.all([scanners.end(), sender.giveUp()]));
    const say = (service: string, { away, replaced }: { away: number; replaced: number }): void =>
      t.diagnostic(
        `${service} killed: no list for ${seconds(away)} at most, replaced in ${seconds(replaced)}`,
      );

    const [victim = ''] = await stack.containers('worklist');
    const exams: string[] = [];
    const began = async (uid: string): Promise<boolean> => {
      const { stdout, stderr } = await run('docker', ['logs', victim]);
      return (stdout + stderr).includes(uid);
    };
    await until(
      async () => {
        exams.push(await beginExam(prisma));
        return began(exams.at(-1) ?? '');
      },
      { what: 'an exam begins at the worklist that dies', timeoutMs: 30_000 },
    );
    const worklist = await kill(scanners, 'worklist', victim);
    for (const uid of exams) await endExam(prisma, uid);
    const performed = await stack.inside('worklist', 'scanflow', 'page', 'worklist', '/api/performed');
    for (const uid of exams) assert.match(performed, new RegExp(`${RegExp.escape(uid)}[^]*?COMPLETED`));
    say('worklist', worklist);
    assert.ok(worklist.away < LONGEST_MS, seconds(worklist.away));

    const proxy = await kill(scanners, 'proxy');
    say('proxy', proxy);
    assert.ok(proxy.away < LONGEST_PROXY_MS, seconds(proxy.away));
    for (const service of SERVICES) {
      const lived = await kill(scanners, service);
      say(service, lived);
      assert.ok(lived.away < LONGEST_MS, `${service}: ${seconds(lived.away)}`);
    }

    await scanners.end();
    const sent = await sender.end();
    const all = async (): Promise<boolean> => (await dataSets(stack.project)).length >= stored + sent.length;
    await until(all, { what: 'every image is stored', timeoutMs: 180_000, everyMs: 1_000 });
    const sums = await dataSets(stack.project);
    assert.equal(sums.length, stored + sent.length, 'each once');
    assert.deepEqual(
      sent.filter((sum) => !sums.includes(sum)),
      [],
      'as it was sent',
    );
    t.diagnostic(
      `${scanners.queries} queries of ${SCANNERS} scanners, ${scanners.failed} failed; ${exams.length} exams; ${sender.series} series, ${sender.again} attempts repeated, ${sent.length} images stored as sent`,
    );
  });
}

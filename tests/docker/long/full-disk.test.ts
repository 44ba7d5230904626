/** How long it takes from a full disk to a mail: the stack in containers, a small disk, and a real SMTP server with STARTTLS and a login. */
import assert from 'node:assert/strict';
import { appendFile, chown, copyFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { makeAuthority, storescu, until } from '@scanflow/testkit';
import { makeDisk } from '../../faults/disk.ts';
import { headersIn, startMailServer } from '../../integration/mail-support.ts';
import { phantom, type Series } from '../../integration/streamer-support.ts';
import { orLogs } from '../checks.ts';
import { impatientConfig, Project, whyNot } from '../engine.ts';

/** Of the containers. */
const USER = 10001;
/** Half a megabyte each: the first series fits on the disk, the second does not. */
const [FITS, TOO_MANY, DISK_MB] = [6, 30, 10];
const FULL = 'STORE_DISK_FULL';
/** The look is every 15 s as by default. Only "Resolved" comes after 20 s instead of 5 min. */
const NOTIFY = `
notify:
  mail:
    host: host.docker.internal
    port: PORT
    tls: { ca: mail-ca.pem }
    from: scanflow@example.org
    username: scanflow
    passwordFile: mail-password
  it: { mail: [it@example.org] }
  gather: 20s
`;

interface Started {
  readonly stack: Project;
  readonly config: string;
  /** When the first mail came whose subject has these words. */
  readonly arrived: (subject: RegExp) => number | undefined;
  /** Whether any mail has these words. */
  readonly says: (words: RegExp) => boolean;
}

/** The stack, with a mail server on this machine. */
async function start(t: TestContext, root: string): Promise<Started> {
  const config = await impatientConfig('scanflow.yaml');
  t.after(() => rm(config, { recursive: true }));
  const authority = await makeAuthority(config, 'ca');
  const certificate = await authority.issue('smtp', { names: 'DNS:host.docker.internal' });
  const mails: { subject: string; at: number; raw: string }[] = [];
  const { port } = await startMailServer(t, {
    ...{ certificate, user: 'scanflow', password: 'secret', bind: '0.0.0.0' },
    took: (mail) => {
      assert.deepEqual([mail.secure, mail.user, mail.to], [true, 'scanflow', ['it@example.org']]);
      mails.push({ subject: headersIn(mail).get('subject') ?? '', at: performance.now(), raw: mail.raw });
    },
  });
  await copyFile(authority.certificate, join(config, 'mail-ca.pem'));
  await writeFile(join(config, 'mail-password'), 'secret\n');
  await appendFile(join(config, 'scanflow.yaml'), NOTIFY.replace('PORT', String(port)));
  await (await Project.create('full', ['compose.yaml'])).compose('build');
  const stack = await Project.create('full', ['compose.yaml']);
  stack.env['SCANFLOW_CONFIG'] = config;
  stack.env['SCANFLOW_PROJECT'] = root;
  t.after(() => stack.down());
  await orLogs(stack, () => stack.compose('up', '--detach', '--wait'));
  return {
    ...{ stack, config },
    arrived: (words) => mails.find(({ subject }) => words.test(subject))?.at,
    says: (words) => mails.some(({ raw }) => words.test(raw)),
  };
}

suite('a full disk', { skip: await whyNot() }, () => {
  test('notify: /healthz and a mail name it while the streamer runs on, and both say when it is over', async (t) => {
    const disk = await makeDisk(t, { kind: 'tmpfs', megabytes: DISK_MB });
    if (disk === undefined) return;
    await chown(disk.path, USER, USER);
    const { stack, config, arrived, says } = await start(t, disk.path);
    const started = async (): Promise<string> => (await stack.inspect('streamer')).State.StartedAt;
    const before = await started();
    const pages = `http://127.0.0.1:${stack.ports.streamer}`;
    const series = async (): Promise<Series[]> => {
      const answer = await stack.ask(stack.ports.streamer, '/api/series');
      return ((await answer.json()) as { series: Series[] }).series;
    };
    const complete = async (): Promise<number> =>
      (await series()).filter(({ state }) => state === 'complete').length;
    const health = async (): Promise<string> => {
      const answer = await fetch(`${pages}/healthz`);
      return `${answer.status} ${await answer.text()}`;
    };
    const when = async (what: string, check: () => Promise<boolean> | boolean): Promise<number> => {
      await orLogs(stack, () => until(check, { what, timeoutMs: 180_000, everyMs: 200 }));
      return performance.now();
    };
    const send = async (images: number, seriesNumber: number): Promise<void> => {
      const folder = join(config, `mr${seriesNumber}`);
      await phantom(folder, { images, seriesNumber, rows: 512, columns: 512 });
      await storescu({ port: stack.ports.dicom, calledAet: 'ORTHANC', callingAet: 'PRISMA' }, [folder]);
    };

    await send(FITS, 1);
    await when('the first series is stored', async () => (await complete()) === 1);
    assert.match(await health(), /^200 /);
    assert.equal(arrived(/./), undefined, 'nobody hears of what is well');

    await send(TOO_MANY, 2);
    const full = await when('the storage leg says so', async () =>
      (await series()).some(({ legs }) => legs.some(({ failure }) => failure?.code === FULL)),
    );
    const shown = await when('/healthz says so', async () => /^503 .*STORE_DISK_FULL/.test(await health()));
    await when('a mail came', () => arrived(/STORE_DISK_FULL/) !== undefined);
    const told = arrived(/STORE_DISK_FULL/) ?? 0;
    assert.ok(says(/1 series waits\..*nothing is lost\..*Free space/s), 'the count, and what to do');
    assert.equal((await fetch(`${pages}/livez`)).status, 200);
    assert.equal(arrived(/^Resolved: .*STORE_DISK_FULL/), undefined);

    await disk.remount('size=64m');
    const space = performance.now();
    const stored = await when('the rest is stored', async () => (await complete()) === 2);
    const well = await when('/healthz is well', async () => (await health()).startsWith('200 '));
    await when('a mail says that it is over', () => arrived(/^Resolved: .*STORE_DISK_FULL/) !== undefined);
    const over = arrived(/^Resolved: .*STORE_DISK_FULL/) ?? 0;
    assert.equal(await started(), before, 'the streamer ran all the time');
    assert.ok((await statfs(disk.path)).bavail > 0);

    const s = (from: number, to: number): string => `${((to - from) / 1000).toFixed(1)} s`;
    t.diagnostic(`full → /healthz ${s(full, shown)}, mail ${s(full, told)}`);
    t.diagnostic(
      `space → stored ${s(space, stored)}, /healthz ${s(space, well)}, "Resolved" ${s(space, over)}`,
    );
    assert.ok(told - full < 60_000, 'a mail within a minute');
  });
});

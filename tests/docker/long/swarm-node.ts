/** A second node of the swarm on this machine: a Docker Engine of its own in a network namespace of its own, at the other end of a cable. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, startProgram, until, type Program } from '@scanflow/testkit';
import { docker } from '../engine.ts';

/** Addresses of documentation (RFC 5737): the first node, the second, two scanners, and one that may move. */
export const FIRST = '198.51.100.1';
export const SECOND = '198.51.100.2';
export const MOVES = '198.51.100.9';
export const SCANNER = '198.51.100.51';
export const OTHER_SCANNER = '198.51.100.52';

const NAME = `sfnode${process.pid}`;
const CABLE = `sf${process.pid}`;
const NAMESPACE = `/run/netns/${NAME}`;

async function must(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, { timeoutMs: 300_000 });
  assert.equal(code, 0, `${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
const ip = (...args: string[]): Promise<string> => must('ip', ...args);

/** The first node's end of the cable, with the addresses of scanners, and the second node's. */
export async function layCable(): Promise<void> {
  await ip('netns', 'add', NAME);
  await ip('link', 'add', CABLE, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', NAME);
  for (const address of [FIRST, SCANNER, OTHER_SCANNER])
    await ip('address', 'add', `${address}/24`, 'dev', CABLE);
  await ip('link', 'set', CABLE, 'up');
  for (const address of [SECOND, MOVES])
    await ip('-n', NAME, 'address', 'add', `${address}/24`, 'dev', 'eth0');
  for (const device of ['lo', 'eth0']) await ip('-n', NAME, 'link', 'set', device, 'up');
}

export async function takeCableAway(): Promise<void> {
  await run('ip', ['netns', 'delete', NAME], {});
  await run('ip', ['link', 'delete', CABLE], {});
}

/** As VRRP does when a node is gone. */
export const takeOverAddress = (): Promise<string> => ip('address', 'add', `${MOVES}/24`, 'dev', CABLE);

export class SecondNode {
  readonly #folder: string;
  readonly #engine: Program;

  readonly #network: string;

  private constructor(folder: string, engine: Program, network: string) {
    this.#folder = folder;
    this.#engine = engine;
    this.#network = network;
  }

  /** An engine beside the first, with nothing in it. */
  static async start(): Promise<SecondNode> {
    const folder = await mkdtemp(join(tmpdir(), 'scanflow-node-'));
    const engine = await startProgram('nsenter', [
      ...[`--net=${NAMESPACE}`, 'dockerd', '--host', `unix://${folder}/sock`],
      ...['--data-root', `${folder}/data`, '--exec-root', `/run/${NAME}`, '--pidfile', `${folder}/pid`],
      ...['--exec-opt', 'native.cgroupdriver=cgroupfs', '--cgroup-parent', `/${NAME}`],
    ]);
    const node = new SecondNode(folder, engine, `net:[${(await stat(NAMESPACE)).ino}]`);
    const answers = (): Promise<boolean> =>
      run('docker', ['--host', `unix://${folder}/sock`, 'info'], {}).then(({ code }) => code === 0);
    await until(answers, { what: 'its engine answers', timeoutMs: 60_000, everyMs: 200 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${engine.output().slice(-2_000)}`);
      },
    );
    return node;
  }

  docker(...args: string[]): Promise<string> {
    return must('docker', '--host', `unix://${this.#folder}/sock`, ...args);
  }

  /** It gets images of the first node, as from a bundle, and joins its swarm. */
  async join(images: readonly string[]): Promise<void> {
    await must(
      'sh',
      '-c',
      `docker save ${images.join(' ')} | docker --host unix://${this.#folder}/sock load`,
    );
    const token = (await docker('swarm', 'join-token', '--quiet', 'worker')).trim();
    await this.docker('swarm', 'join', '--advertise-addr', SECOND, '--token', token, `${FIRST}:2377`);
  }

  async containers(service: string): Promise<string[]> {
    const of = ['--filter', `name=${service}`, '--filter', 'health=healthy'];
    return (await this.docker('ps', '--quiet', ...of)).split('\n').filter((id) => id !== '');
  }

  /** Loses its power: nobody reaches it, and all that ran on it is gone at once. */
  async die(): Promise<void> {
    await ip('-n', NAME, 'link', 'set', 'eth0', 'down');
    for (const pid of await this.#processes()) process.kill(pid, 'SIGKILL');
  }

  /** The engine, its containerd, and all that these started: processes in its network or with its folders in their command. */
  async #processes(): Promise<number[]> {
    const found: number[] = [];
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
      const cgroup = await readFile(`/proc/${name}/cgroup`, 'utf8').catch(() => '');
      const network = await readlink(`/proc/${name}/ns/net`).catch(() => '');
      if (network === this.#network || cgroup.includes(`/${NAME}/`) || command.includes(`/run/${NAME}/`))
        found.push(Number(name));
    }
    return found;
  }

  /** Ends what is left of it, and leaves nothing behind. */
  async remove(): Promise<void> {
    await this.#engine.stop('SIGTERM', 60_000);
    for (const pid of await this.#processes()) process.kill(pid, 'SIGKILL');
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    const below = mounts.split('\n').map((line) => line.split(' ')[4] ?? '');
    for (const path of below.filter((one) => one.startsWith(this.#folder) || one.startsWith(`/run/${NAME}`)))
      await run('umount', ['--lazy', path], {});
    await rm(`/run/${NAME}`, { recursive: true, force: true });
    await rm(this.#folder, { recursive: true, force: true });
  }
}

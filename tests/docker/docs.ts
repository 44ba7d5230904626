/** Follows a page of docs/ as a reader does: each marked block (tests/docs/blocks.ts) in order, in a checkout of its own, on free ports. */
import assert from 'node:assert/strict';
import { appendFile, chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { run, type RunResult } from '@scanflow/testkit';
import { blocksIn, type Block, type Page } from '../docs/blocks.ts';
import { mergeYaml } from '../docs/merge.ts';
import { docker, imageOf, Project, ROOT, type Ports } from './engine.ts';

/** Where the pages find Scanflow, and the compose files lie. */
const HOME = '/opt/scanflow';

const BLOCK_MS = 600_000;

/** A machine on which somebody follows pages: folders in a scratch, a stack under a name of its own. */
export class Machine {
  readonly name: string;
  readonly ports: Ports;
  /** What in a page stands for what here; longer names first. */
  readonly words: Map<string, string>;
  readonly #scratch: string;
  readonly #env: Record<string, string>;
  #folder: string;

  private constructor({ name, ports, env }: Project, scratch: string) {
    this.name = name;
    this.ports = ports;
    this.#scratch = scratch;
    this.#folder = scratch;
    this.#env = Object.fromEntries(
      Object.entries(env).filter(([key]) => /_BIND$|_PORTS?$/.test(key) && key !== 'SCANFLOW_WORKLIST_BIND'),
    );
    this.#env['SCANFLOW_WORKLIST_BIND'] = '127.0.0.1';
    this.words = new Map([
      ['<where you got Scanflow>', join(scratch, 'origin')],
      [HOME, this.path(HOME)],
      ['/etc/scanflow-config', this.path('/etc/scanflow-config')],
      ['/mnt/', `${this.path('/mnt')}/`],
      ['127.0.0.1 11112', `127.0.0.1 ${ports.worklist}`],
      ['127.0.0.1 4242', `127.0.0.1 ${ports.dicom}`],
      ['127.0.0.1:11112', `127.0.0.1:${ports.worklist}`],
      ['127.0.0.1:4242', `127.0.0.1:${ports.dicom}`],
      ['127.0.0.1:8042', `127.0.0.1:${ports.orthanc}`],
      ['127.0.0.1:9101', `127.0.0.1:${ports.cal2wl}`],
      ['127.0.0.1:9103', `127.0.0.1:${ports.streamer}`],
    ]);
  }

  /** @param what a word for the name of its stack */
  static async create(what: string): Promise<Machine> {
    const project = await Project.create(`docs-${what}`, ['compose.yaml']);
    const scratch = await realpath(await mkdtemp(join(tmpdir(), 'scanflow-docs-')));
    // the containers have users of their own
    await chmod(scratch, 0o755);
    const machine = new Machine(project, scratch);
    await machine.#publish();
    for (const folder of ['/opt', '/etc', '/mnt', '/srv']) await mkdir(machine.path(folder));
    // `up` takes the images that are there, whatever they were made from
    await machine.must(`(cd '${join(scratch, 'origin')}' && docker compose build)`);
    return machine;
  }

  /** Where a path of the page's machine is here. */
  path(path: string): string {
    return path.startsWith('/') ? join(this.#scratch, 'machine', path) : resolve(this.#folder, path);
  }

  /** Clones Scanflow, as the first block of install.md does, for pages that begin where it is. */
  async clone(): Promise<void> {
    await this.#git(this.#scratch, 'clone', '--quiet', 'origin', this.path(HOME));
    this.#folder = this.path(HOME);
  }

  /** Plays a scanner without one, as install.md says: a series of 20 images for the first booking. */
  async sendPhantom(): Promise<void> {
    const blocks = await blocksIn('install.md');
    const block = blocks.find(({ mark }) => mark.does === 'run' && mark.name === 'phantom');
    assert.ok(block);
    await this.must(block.code);
  }

  /** The folder in which the page's commands run. */
  async enter(folder: string): Promise<void> {
    await mkdir(this.path(folder), { recursive: true });
    this.#folder = this.path(folder);
  }

  /** A copy of this checkout, as a repository: its stack has another name, and a series is whole after 3 s. */
  async #publish(): Promise<void> {
    const origin = join(this.#scratch, 'origin');
    await mkdir(join(this.#scratch, 'machine'), { recursive: true });
    const listed = await this.#git(ROOT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard');
    for (const file of listed.split('\0').filter((name) => name !== ''))
      await cp(join(ROOT, file), join(origin, file)).catch((error: unknown) => {
        // deleted here, and not committed yet
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
    await this.#edit(join(origin, 'compose.yaml'), /^name: scanflow$/m, `name: ${this.name}`);
    await this.#edit(join(origin, 'compose.demo.yaml'), /^name: scanflow-demo$/m, `name: ${this.name}-demo`);
    for (const file of ['config/scanflow.yaml', 'config/scanflow.scale.yaml', 'deploy/swarm/scanflow.yaml'])
      await this.#edit(join(origin, file), /quiet: 60s/, 'quiet: 3s');
    await this.#git(origin, 'init', '--quiet', '--initial-branch=main');
    await this.#git(origin, 'add', '--all');
    const author = ['-c', 'user.name=docs', '-c', 'user.email=docs@example.org'];
    await this.#git(origin, ...author, 'commit', '--quiet', '--message=Scanflow');
  }

  async #edit(file: string, pattern: RegExp, text: string): Promise<void> {
    const before = await readFile(file, 'utf8');
    assert.match(before, pattern, file);
    await writeFile(file, before.replace(pattern, text));
  }

  async #git(folder: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run('git', args, { cwd: folder, timeoutMs: BLOCK_MS });
    assert.equal(code, 0, `git ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** A page's text with the names that count here. */
  translate(text: string): string {
    const words = [...this.words.keys()].toSorted((a, b) => b.length - a.length);
    const any = new RegExp(words.map((word) => RegExp.escape(word)).join('|'), 'g');
    return text.replaceAll(any, (word) => this.words.get(word) ?? word);
  }

  /** Runs commands as a reader's shell does, which stays in the folder that they enter, and ends at the first that fails. */
  async sh(commands: string, asRoot = false): Promise<RunResult> {
    const where = join(this.#scratch, 'where');
    const script = `cd '${this.#folder}'\ntrap 'pwd > ${where}' EXIT\n${this.translate(commands)}`;
    const root = asRoot && process.getuid?.() !== 0 ? ['sudo', '-n'] : [];
    const own = Object.entries(process.env).filter(([key]) => !/^(SCANFLOW|COMPOSE)_/.test(key));
    const env = [
      'env',
      '-i',
      ...[...own, ...Object.entries(this.#env)].map(([key, value]) => `${key}=${value ?? ''}`),
    ];
    const args = [...root, ...env, 'bash', '-eu', '-o', 'pipefail', '-c', script];
    const result = await run('env', args, { timeoutMs: BLOCK_MS });
    const folder = await readFile(where, 'utf8').catch(() => '');
    if (folder !== '') this.#folder = folder.trimEnd();
    return result;
  }

  /** Likewise; its standard output. Throws with all that it wrote if it fails. */
  async must(commands: string, asRoot = false): Promise<string> {
    const { code, stdout, stderr } = await this.sh(commands, asRoot);
    assert.equal(code, 0, `${commands}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Ends every stack that was started, and leaves nothing behind. */
  async remove(): Promise<void> {
    const left: string[] = [];
    for (const name of [this.name, `${this.name}-demo`]) {
      const down = ['down', '--volumes', '--remove-orphans', '--timeout', '10'];
      const { stderr } = await run('docker', ['compose', '--project-name', name, ...down], {
        cwd: this.#scratch,
        timeoutMs: BLOCK_MS,
      });
      const of = ['--quiet', '--filter', `label=com.docker.compose.project=${name}`];
      for (const kind of [
        ['ps', '--all'],
        ['volume', 'ls'],
        ['network', 'ls'],
      ])
        if ((await docker(...kind, ...of)).trim() !== '') left.push(`${name}, ${kind[0] ?? ''}: ${stderr}`);
    }
    // containers may have written there
    await docker(
      'run',
      '--rm',
      '--user',
      '0',
      '--volume',
      `${this.#scratch}:/scratch`,
      '--entrypoint',
      'sh',
      imageOf('cli'),
      '-c',
      'rm -rf /scratch/*',
    );
    await rm(this.#scratch, { recursive: true, force: true });
    assert.deepEqual(left, [], 'nothing is left');
  }
}

export interface Steps {
  /** What a test does before the block with this name (`<!-- test: run name=NAME -->`). */
  readonly before?: Readonly<Record<string, () => Promise<void>>>;
}

/** Registers a test for each block of the page. After one that fails, the rest of the page is skipped. */
export async function followPage(
  machine: () => Machine,
  page: Page,
  { before = {} }: Steps = {},
): Promise<void> {
  const blocks = await blocksIn(page);
  const names = blocks.map(({ mark }) => (mark.does === 'run' ? mark.name : undefined));
  for (const name of Object.keys(before))
    assert.ok(names.includes(name), `docs/${page} has no block ${name}`);
  let broken: string | undefined;
  let last: { commands: string; stdout: string } | undefined;
  for (const block of blocks) {
    const { line, code, mark } = block;
    const title = `${page}:${line} ${mark.does}: ${code.split('\n')[0] ?? ''}`;
    if (mark.does === 'not here' || mark.does === 'config') continue;
    test(title, async (t) => {
      if (broken !== undefined) {
        t.skip(`${broken} failed`);
        return;
      }
      broken = `${page}:${line}`;
      if (mark.does === 'run') {
        await before[mark.name ?? '']?.();
        last = { commands: code, stdout: await runBlock(machine(), block, mark) };
      } else if (mark.does === 'output') {
        assert.ok(last, 'a command ran before');
        await assertShows(machine(), code, last, mark.withinSeconds);
      } else await writeBlock(machine(), block, mark);
      broken = undefined;
    });
  }
}

type Run = Extract<Block['mark'], { does: 'run' }>;
type Write = Extract<Block['mark'], { does: 'file' | 'append' | 'merge' }>;

async function runBlock(machine: Machine, { code }: Block, { exit, asRoot }: Run): Promise<string> {
  const { code: ended, stdout, stderr } = await machine.sh(code, asRoot);
  assert.equal(ended, exit, `${machine.translate(code)}\n${stdout}${stderr}`);
  return stdout;
}

async function writeBlock(machine: Machine, { code }: Block, { does, path }: Write): Promise<void> {
  const file = machine.path(path);
  const text = machine.translate(code);
  await mkdir(dirname(file), { recursive: true });
  if (does === 'append') await appendFile(file, text);
  else await writeFile(file, does === 'file' ? text : mergeYaml(await readFile(file, 'utf8'), text));
}

/** The shown lines are in the output in their order, whatever the width of gaps. With a limit of time, the command runs again until they are. */
async function assertShows(
  machine: Machine,
  shown: string,
  { commands, stdout }: { readonly commands: string; readonly stdout: string },
  withinSeconds: number,
): Promise<void> {
  const until = performance.now() + withinSeconds * 1_000;
  let output = stdout;
  let missing = missingLine(machine.translate(shown), output);
  while (missing !== undefined && performance.now() < until) {
    await pause(500);
    output = (await machine.sh(commands)).stdout;
    missing = missingLine(machine.translate(shown), output);
  }
  assert.equal(missing, undefined, `not in the output:\n${output}`);
}

function missingLine(shown: string, output: string): string | undefined {
  const lines = output.split('\n');
  return shown
    .split('\n')
    .filter((line) => line.trim() !== '')
    .find((line) => {
      const parts = line
        .trim()
        .split('…')
        .map((part) =>
          part
            .trim()
            .split(/\s+/)
            .map((word) => RegExp.escape(word))
            .join('\\s+'),
        );
      const found = lines.findIndex((one) => new RegExp(parts.join('.*')).test(one));
      if (found >= 0) lines.splice(0, found + 1);
      return found < 0;
    });
}

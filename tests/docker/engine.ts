/** Docker as a person uses it, for the tests of the compose stack: each call is a command, each answer its output. */
import assert from 'node:assert/strict';
import { chmod, cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, run } from '@scanflow/testkit';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Why the stack cannot be tested here, which is said aloud; false where it can. */
export async function whyNot(): Promise<string | false> {
  for (const args of [['info'], ['compose', 'version']]) {
    const result = await run('docker', args).catch((error: unknown) => ({ code: 1, stderr: String(error) }));
    if (result.code === 0) continue;
    const reason = `docker ${args.join(' ')}: ${result.stderr.trim()}`;
    console.error(
      `\nTHE DOCKER PART WAS NOT RUN: NO USABLE DOCKER ENGINE WITH COMPOSE V2 HERE.\n${reason}\n`,
    );
    return 'no Docker Engine';
  }
  return false;
}

/** Runs `docker …`; its standard output. Throws with its words where it fails. */
export async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run('docker', args, { timeoutMs: 300_000 });
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** What the tests read of `docker inspect`. */
export interface Container {
  readonly Id: string;
  readonly State: {
    readonly Status: string;
    readonly StartedAt: string;
    readonly ExitCode: number;
    readonly Health?: { Status: string };
  };
  readonly Config: { readonly User: string; readonly Env: readonly string[] };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Privileged: boolean;
    readonly CapAdd: readonly string[] | null;
    readonly CapDrop: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly Init: boolean | null;
    readonly PidsLimit: number | null;
    readonly RestartPolicy: { readonly Name: string };
    readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
    readonly PortBindings: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[]>> | null;
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, object>> };
  readonly Mounts: readonly { readonly Destination: string; readonly RW: boolean; readonly Type: string }[];
}

export interface Ports {
  readonly worklist: number;
  readonly dicom: number;
  readonly orthanc: number;
  readonly cal2wl: number;
  readonly worklistHttp: number;
  readonly streamer: number;
  readonly receiver: number;
  readonly board: number;
  readonly prometheus: number;
}

/**
 * A configuration folder like the sample's, in which a series is whole after 3 s.
 *
 * @param more further keys of the streamer in `file`
 */
export async function impatientConfig(file: string, more = ''): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-config-'));
  // mkdtemp's is for its owner alone; the containers have users of their own
  await chmod(folder, 0o755);
  await cp(join(ROOT, 'config'), folder, { recursive: true });
  const path = join(folder, file);
  const text = (await readFile(path, 'utf8')).replace('quiet: 60s', 'quiet: 3s');
  assert.match(text, /quiet: 3s/);
  await writeFile(path, `${text}${more}`);
  return folder;
}

const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };

/** The image of a service as compose.yaml names it: `scanflow-cli:0.2.0`. */
export const imageOf = (name: string): string => `scanflow-${name}:${version}`;

/** One compose project of the repository, on free loopback ports. */
export class Project {
  readonly name: string;
  readonly files: readonly string[];
  readonly ports: Ports;
  readonly env: Record<string, string>;

  private constructor(name: string, files: readonly string[], ports: Ports) {
    this.name = name;
    this.files = files;
    this.ports = ports;
    this.env = {
      // whatever this machine's .env says
      SCANFLOW_CONFIG: './config',
      SCANFLOW_PROJECT: 'project',
      SCANFLOW_REGISTRY: '',
      SCANFLOW_VERSION: version,
      SCANFLOW_WORKLIST_BIND: '127.0.0.1',
      SCANFLOW_DICOM_BIND: '127.0.0.1',
      SCANFLOW_HTTP_BIND: '127.0.0.1',
      SCANFLOW_WORKLIST_PORT: String(ports.worklist),
      SCANFLOW_DICOM_PORT: String(ports.dicom),
      SCANFLOW_ORTHANC_HTTP_PORT: String(ports.orthanc),
      SCANFLOW_CAL2WL_HTTP_PORT: String(ports.cal2wl),
      SCANFLOW_WORKLIST_HTTP_PORT: String(ports.worklistHttp),
      SCANFLOW_STREAMER_HTTP_PORT: String(ports.streamer),
      SCANFLOW_RECEIVER_HTTP_PORT: String(ports.receiver),
      SCANFLOW_BOARD_PORT: String(ports.board),
      SCANFLOW_PROMETHEUS_PORT: String(ports.prometheus),
      SCANFLOW_ORTHANC_DICOM_OPEN: 'false',
      // any that are free, where there are several
      SCANFLOW_STREAMER_HTTP_PORTS: '0',
      SCANFLOW_CONFIG_FILE: 'scanflow.scale.yaml',
      SCANFLOW_ORTHANC_AET: 'ORTHANC',
    };
  }

  static async create(what: string, files: readonly string[]): Promise<Project> {
    // asked for at the same time, so that no two are the same
    const [worklist, dicom, orthanc, cal2wl, worklistHttp, streamer, receiver, board, prometheus] =
      await Promise.all([
        freePort(),
        freePort(),
        freePort(),
        freePort(),
        freePort(),
        freePort(),
        freePort(),
        freePort(),
        freePort(),
      ]);
    const ports = { worklist, dicom, orthanc, cal2wl, worklistHttp, streamer, receiver, board, prometheus };
    return new Project(`scanflow-test-${what}-${process.pid}`, files, ports);
  }

  /** `docker compose …` of this project; its standard output. */
  async compose(...args: string[]): Promise<string> {
    const files = this.files.flatMap((file) => ['-f', file]);
    const all = ['compose', '--project-name', this.name, ...files, ...args];
    const { code, stdout, stderr } = await run('docker', all, {
      cwd: ROOT,
      env: this.env,
      timeoutMs: 1_200_000,
    });
    if (code !== 0)
      throw new Error(`docker compose ${args.join(' ')} ended with ${String(code)}:\n${stderr}`);
    return stdout;
  }

  /** Runs a command in a service's container; its standard output. */
  exec(service: string, ...command: string[]): Promise<string> {
    return this.compose('exec', '-T', service, ...command);
  }

  /** All containers of a service, whether they run or not. */
  async containers(service: string): Promise<Container[]> {
    const ids = (await this.compose('ps', '--all', '--quiet', service)).split('\n').filter((id) => id !== '');
    return ids.length === 0 ? [] : (JSON.parse(await docker('inspect', ...ids)) as Container[]);
  }

  /** A page of a service, with the internal token. */
  async ask(port: number, path: string): Promise<Response> {
    const token = await this.exec('streamer', 'cat', '/data/token/http-token');
    return fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token.trim()}` } });
  }

  async inspect(service: string): Promise<Container> {
    const [container] = await this.containers(service);
    if (container === undefined) throw new Error(`there is no container of ${service}`);
    return container;
  }

  /** Everything of the project that there is: containers, volumes, networks. */
  async remains(): Promise<string[]> {
    const filter = `label=com.docker.compose.project=${this.name}`;
    const lists = await Promise.all([
      docker('ps', '--all', '--quiet', '--filter', filter),
      docker('volume', 'ls', '--quiet', '--filter', filter),
      docker('network', 'ls', '--quiet', '--filter', filter),
    ]);
    return lists.flatMap((list) => list.split('\n').filter((line) => line !== ''));
  }

  async down(): Promise<void> {
    await this.compose('down', '--volumes', '--remove-orphans', '--timeout', '10');
  }
}

/** A real Orthanc in a folder of its own, on free loopback ports, with authentication on. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startProgram, type Program, until } from './process.ts';

export interface OrthancOptions {
  /** Where its configuration, database and images go; made when absent. */
  readonly folder: string;
  /** OverwriteInstances: whether the same SOP Instance UID with other bytes replaces the first (false). */
  readonly overwrite?: boolean;
  readonly aet?: string;
  /** Fixed ports, for a restart on the same ones or for a demo that prints them; free ones otherwise. */
  readonly httpPort?: number;
  readonly dicomPort?: number;
  /** Plugins of this machine's, by their file's name: `libOrthancDicomWeb.so`. None otherwise. */
  readonly plugins?: readonly string[];
  /** Further users, with their passwords. */
  readonly users?: Readonly<Record<string, string>>;
  /** Further keys of Orthanc's configuration. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface RunningOrthanc {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** File that holds the password, for `orthanc.passwordFile`. */
  readonly passwordFile: string;
  readonly httpPort: number;
  readonly dicomPort: number;
  readonly aet: string;
  readonly folder: string;
  pid(): number;
  /** Orthanc's own log so far. */
  log(): string;
  /** GET of a path such as `/statistics`, parsed as JSON; throws for anything but 200. */
  get(path: string): Promise<unknown>;
  /** Any request, with authentication. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** POST /instances; the answer's status and body, whatever they are. */
  upload(bytes: Uint8Array): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Orderly end. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again after stop() or kill(), on the same folder and ports. */
  start(): Promise<void>;
}

const CANDIDATES = [
  '/usr/sbin/Orthanc',
  '/usr/bin/Orthanc',
  '/usr/local/sbin/Orthanc',
  '/usr/local/bin/Orthanc',
];

const PLUGINS = '/usr/share/orthanc/plugins';

/** Path of this machine's Orthanc, undefined where there is none. */
export function findOrthanc(): string | undefined {
  return CANDIDATES.find((path) => existsSync(path));
}

/** Starts an Orthanc and waits until it answers. The caller stops it. */
export async function startOrthanc(options: OrthancOptions): Promise<RunningOrthanc> {
  const binary = findOrthanc();
  if (binary === undefined) throw new Error('Orthanc is not installed: apt-get install orthanc');
  const { folder, aet = 'ORTHANC' } = options;
  await mkdir(folder, { recursive: true });
  const httpPort = options.httpPort ?? (await freePort());
  const dicomPort = options.dicomPort ?? (await freePort());
  const username = 'scanflow';
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(folder, 'password');
  const configFile = join(folder, 'orthanc.json');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  const config = configuration(
    { ...options, aet, httpPort, dicomPort },
    {
      ...options.users,
      [username]: password,
    },
  );
  await writeFile(configFile, JSON.stringify(config, null, 2), { mode: 0o600 });

  const url = `http://127.0.0.1:${httpPort}`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const request = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', authorization);
    return fetch(`${url}${path}`, { ...init, headers });
  };
  let program: Program | undefined;
  const running = (): Program => {
    if (program === undefined) throw new Error('Orthanc is not running');
    return program;
  };
  const start = async (): Promise<void> => {
    // DCMTK inside Orthanc reads TCP_NODELAY: without it a sender waits for delayed acknowledgements
    program = await startProgram(binary, [configFile], { env: { TCP_NODELAY: '1' } });
    await until(() => answers(request, running()), {
      what: 'Orthanc answers',
      timeoutMs: 60_000,
      everyMs: 50,
    });
  };
  await start();
  return {
    url,
    username,
    password,
    passwordFile,
    httpPort,
    dicomPort,
    aet,
    folder,
    pid: () => running().pid,
    log: () => running().output(),
    get: async (path) => {
      const response = await request(path);
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    request,
    upload: async (bytes) => {
      const response = await request('/instances', { method: 'POST', body: new Uint8Array(bytes) });
      const text = await response.text();
      return { status: response.status, body: parsed(text) };
    },
    stop: () => running().stop('SIGTERM', 20_000),
    kill: () => running().stop('SIGKILL'),
    start,
  };
}

function configuration(
  options: OrthancOptions & { aet: string; httpPort: number; dicomPort: number },
  users: Record<string, string>,
): Record<string, unknown> {
  return {
    Name: 'Scanflow testkit',
    StorageDirectory: join(options.folder, 'storage'),
    IndexDirectory: join(options.folder, 'index'),
    StorageCompression: false,
    MaximumStorageSize: 0,
    MaximumPatientCount: 0,
    Plugins: (options.plugins ?? []).map((name) => join(PLUGINS, name)),
    HttpPort: options.httpPort,
    HttpCompressionEnabled: false,
    KeepAlive: true,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: true,
    RegisteredUsers: users,
    DicomServerEnabled: true,
    DicomAet: options.aet,
    DicomPort: options.dicomPort,
    DicomCheckCalledAet: false,
    DicomAlwaysAllowEcho: true,
    DicomAlwaysAllowStore: true,
    UnknownSopClassAccepted: true,
    StableAge: 1,
    OverwriteInstances: options.overwrite ?? false,
    StoreMD5ForAttachments: true,
    ...options.extra,
  };
}

async function answers(
  request: (path: string) => Promise<Response>,
  program: Program,
): Promise<true | undefined> {
  if (program.exited()) throw new Error(`Orthanc ended at once:\n${program.output()}`);
  try {
    const response = await request('/system');
    await response.arrayBuffer();
    return response.ok ? true : undefined;
  } catch {
    return undefined; // not listening yet
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

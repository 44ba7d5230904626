/** The three that are compared: our service, DCMTK's wlmscpfs and Orthanc's worklist plugin, each as a process. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defined, given } from '@scanflow/failure/defined';
import { dcmtk, freePort, startOrthanc, startProgram, until, type Program } from '@scanflow/testkit';

export interface Server {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** How long it says that it took to load its folder. */
  readonly loadSeconds?: number;
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../services/worklist/src/main.ts', import.meta.url));

/** Debian's file of the plugin; undefined where there is none. */
export const ORTHANC_PLUGIN = [
  '/usr/share/orthanc/plugins/libModalityWorklists.so',
  '/usr/lib/orthanc/libModalityWorklists.so',
].find((path) => existsSync(path));

const lasting = (name: string, program: Program, port: number): Server => ({
  name,
  port,
  pid: program.pid,
  stop: () => program.stop('SIGTERM'),
});

/** `env`: further variables of its environment; an empty one counts as absent. */
export async function startOurs(data: string, env: Record<string, string> = {}): Promise<Server> {
  const [port, http] = [await freePort(), await freePort()];
  const config = join(data, 'scanflow.yaml');
  await writeFile(
    config,
    `facility: { name: Bench, timezone: Europe/Amsterdam }
data: ${data}
scanners:
  prisma: { aet: PRISMA, modality: MR, characterSet: ISO_IR 100 }
worklist: { aet: SCANFLOW, bind: 127.0.0.1, port: ${port}, allow: any }
orthanc: { url: http://127.0.0.1:1 }
storage: { root: ${data}-storage }
http: { bind: 127.0.0.1, ports: { worklist: ${http} } }
log: { level: info }
`,
  );
  const program = await startProgram(process.execPath, [MAIN, '--config', config], {
    env: { LOG_FORMAT: 'json', ...env },
  });
  await until(
    () => {
      if (program.exited()) throw new Error(`the worklist ended: ${program.output()}`);
      return /"event":"started"/.test(program.output());
    },
    { what: 'the worklist has started', timeoutMs: 60_000 },
  );
  const loaded = /"event":"worklist.loaded".*?"ms":(\d+)/.exec(program.output())?.[1];
  return {
    ...lasting('Scanflow', program, port),
    ...defined({ loadSeconds: given(loaded, (loaded) => Number(loaded) / 1000) }),
  };
}

export async function startWlmscpfs(data: string): Promise<Server> {
  const port = await freePort();
  const args = ['--single-process', '-dfr', '-csk', '-dfp', join(data, 'worklist'), String(port)];
  const program = await startProgram('wlmscpfs', args, { env: { TCP_NODELAY: '1' } });
  await until(async () => (await echo(port)) || undefined, { what: 'wlmscpfs answers', timeoutMs: 15_000 });
  return { ...lasting('wlmscpfs', program, port), stop: () => program.stop('SIGKILL') };
}

export async function startOrthancPlugin(data: string): Promise<Server> {
  const orthanc = await startOrthanc({
    folder: join(data, 'orthanc'),
    aet: 'SCANFLOW',
    extra: {
      Plugins: ORTHANC_PLUGIN === undefined ? [] : [ORTHANC_PLUGIN],
      Worklists: {
        Enable: true,
        Database: join(data, 'worklist', 'SCANFLOW'),
        FilterIssuerAet: false,
        LimitAnswers: 0,
      },
      DicomAlwaysAllowFind: true,
      DicomAlwaysAllowFindWorklist: true,
    },
  });
  return { name: 'Orthanc', port: orthanc.dicomPort, pid: orthanc.pid(), stop: () => orthanc.stop() };
}

const echo = async (port: number): Promise<boolean> =>
  (await dcmtk('echoscu', ['-aec', 'SCANFLOW', '127.0.0.1', String(port)])).code === 0;

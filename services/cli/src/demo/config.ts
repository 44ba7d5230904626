/** The demo's configuration: the shipped sample with this machine's folders and ports, and a research PACS. */
import { readFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatIssue, loadConfig, type Config } from '@scanflow/config';
import type { PrivateTag } from '@scanflow/dicom';
import { parseDocument } from 'yaml';
import type { DemoScanner } from './stack.ts';
import { privateTag } from '../private-tag.ts';

export interface DemoPorts {
  readonly worklist: number;
  readonly cal2wl: number;
  readonly worklistHttp: number;
  readonly streamer: number;
  /** Where scanners send images, and its pages. */
  readonly receiver: number;
  readonly receiverHttp: number;
}

export interface DemoPlan {
  readonly folder: string;
  readonly timezone: string;
  readonly scanners: readonly DemoScanner[];
  readonly ports: DemoPorts;
  readonly orthanc: { readonly url: string; readonly username: string; readonly passwordFile: string };
  readonly pacs: { readonly aet: string; readonly port: number };
}

const SAMPLE = fileURLToPath(new URL('../../../../config/scanflow.yaml', import.meta.url));
const LOOPBACK = '127.0.0.1';

/** Writes `scanflow.yaml` into the demo's folder and reads it back as the services will. */
export async function demoConfig(
  plan: DemoPlan,
): Promise<{ file: string; config: Config; projectRoot: string; tag: PrivateTag }> {
  const file = join(plan.folder, 'scanflow.yaml');
  const projectRoot = join(plan.folder, 'project');
  for (const folder of ['project', 'data']) await mkdir(join(plan.folder, folder), { recursive: true });
  const sample = parseDocument(await readFile(SAMPLE, 'utf8'));
  for (const [path, value] of changes(plan, projectRoot)) sample.setIn(path, sample.createNode(value));
  await writeFile(file, sample.toString());
  const loaded = await loadConfig(file);
  if (!loaded.ok)
    throw new Error(`the demo's configuration is not good:\n${loaded.issues.map(formatIssue).join('\n')}`);
  return { file, config: loaded.config, projectRoot, tag: privateTag(loaded.config.tag) };
}

function changes(plan: DemoPlan, projectRoot: string): [string[], unknown][] {
  const { folder, ports, orthanc, pacs } = plan;
  const perScanner = <T>(make: (scanner: DemoScanner) => T): Record<string, T> =>
    Object.fromEntries(plan.scanners.map((scanner) => [scanner.name, make(scanner)]));
  return [
    [['facility', 'timezone'], plan.timezone],
    [['data'], join(folder, 'data')],
    [['scanners'], perScanner(({ aet, modality }) => ({ aet, modality, stationName: aet }))],
    [
      ['calendars'],
      perScanner(({ name }) => ({ file: join(folder, 'calendars', `${name}.ics`), scanner: name })),
    ],
    [['bookings', 'every'], '10s'],
    [['worklist', 'bind'], LOOPBACK],
    [['worklist', 'port'], ports.worklist],
    [['orthanc'], { url: orthanc.url, username: orthanc.username, passwordFile: orthanc.passwordFile }],
    [['receiver'], { port: ports.receiver }],
    [['arrivals'], { from: 'scanners', quiet: '2s', poll: '500ms' }],
    [['storage', 'root'], projectRoot],
    [['destinations'], { pacs: { host: LOOPBACK, port: pacs.port, aet: pacs.aet } }],
    [
      ['http'],
      {
        bind: LOOPBACK,
        ports: {
          cal2wl: ports.cal2wl,
          worklist: ports.worklistHttp,
          streamer: ports.streamer,
          receiver: ports.receiverHttp,
        },
      },
    ],
  ];
}

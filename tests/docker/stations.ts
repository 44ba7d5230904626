/** What stands around a stack whose pages a test follows: a scanner that sends a series, and an archive that receives it. */
import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@scanflow/testkit';
import type { Machine } from './docs.ts';
import { docker, imageOf } from './engine.ts';

/** Images of a series. */
export const IMAGES = 4;

const STORED_MS = 120_000;

export interface StoredSeries {
  readonly id: string;
  /** Its folder, as the streamer's container sees it. */
  readonly path: string;
}

interface Row {
  readonly id: string;
  readonly state: string;
  readonly seriesNumber: string;
  readonly legs: readonly {
    readonly target: string;
    readonly path?: string;
    readonly failure?: { readonly code: string };
  }[];
}

interface Item {
  readonly accessionNumber: string;
  readonly patientId: string;
}

/** The scanner PRISMA takes the first booking of project 3010000.01, and makes a series of four images in this folder of the machine. */
export async function makePhantom(machine: Machine, seriesNumber: number, folder: string): Promise<void> {
  const ask = 'docker compose exec worklist scanflow page worklist /api/worklist';
  const { items } = JSON.parse(await machine.must(ask)) as { items: Item[] };
  const item = items.find(({ patientId }) => patientId.startsWith('3010000.01_'));
  assert.ok(item, 'a booking of the sample');
  const from = `--worklist SCANFLOW@localhost:11112 --calling PRISMA --accession ${item.accessionNumber}`;
  const what = `--images ${IMAGES} --series-number ${seriesNumber} --description t1_mprage_sag`;
  await machine.must(`mkdir -p ${folder}
    docker compose exec worklist scanflow phantom /tmp/phantom ${from} ${what}
    docker compose exec -T worklist tar -C /tmp/phantom -c . | tar -C ${folder} -x
    docker compose exec worklist rm -r /tmp/phantom`);
}

/** Likewise, and sends it to the receiver's plain port. */
export async function scan(machine: Machine, seriesNumber: number): Promise<void> {
  const folder = `/srv/scan-${seriesNumber}`;
  await makePhantom(machine, seriesNumber, machine.path(folder));
  await machine.must(`storescu -aet PRISMA -aec ORTHANC +sd 127.0.0.1 4242 ${machine.path(folder)}`);
}

/** The series of this number once it is complete. */
export const complete = (machine: Machine, seriesNumber: number): Promise<StoredSeries> =>
  seriesOnce(machine, seriesNumber, 'is complete', ({ state }) => state === 'complete');

/** Likewise, once its leg to this target has a failure, also one after which the streamer tries again. */
export const troubled = (machine: Machine, seriesNumber: number, target: string): Promise<StoredSeries> =>
  seriesOnce(machine, seriesNumber, `has trouble with ${target}`, ({ legs }) =>
    legs.some((leg) => leg.target === target && leg.failure !== undefined),
  );

async function seriesOnce(
  machine: Machine,
  seriesNumber: number,
  what: string,
  fits: (row: Row) => boolean,
): Promise<StoredSeries> {
  let last: Row | undefined;
  return until(
    async () => {
      const text = await machine.must('docker compose exec streamer scanflow series list --json');
      last = (JSON.parse(text) as Row[]).find((one) => one.seriesNumber === String(seriesNumber));
      const path = last?.legs.find(({ target }) => target === 'storage')?.path;
      return last !== undefined && path !== undefined && fits(last) && { id: last.id, path };
    },
    { what: `series ${seriesNumber} ${what}`, timeoutMs: STORED_MS, everyMs: 500 },
  ).catch((error: unknown) => {
    throw new Error(JSON.stringify(last ?? null), { cause: error });
  });
}

/** An Orthanc that plays the archive pacs.example.org, in the network of the streamer. */
export class Archive {
  readonly #name: string;

  private constructor(name: string) {
    this.#name = name;
  }

  /** @param settings of Orthanc, such as DicomPort */
  static async start(machine: Machine, settings: Readonly<Record<string, unknown>>): Promise<Archive> {
    const name = `${machine.name}-archive`;
    const folder = machine.path('/srv/archive');
    await mkdir(folder, { recursive: true });
    const all = {
      Name: 'Archive',
      StorageDirectory: '/var/lib/orthanc/db',
      DicomAet: 'PACS',
      DicomCheckCalledAet: true,
      AuthenticationEnabled: false,
      ...settings,
    };
    await writeFile(join(folder, 'orthanc.json'), JSON.stringify(all));
    await chmod(folder, 0o755);
    const archive = new Archive(name);
    await archive.stop();
    const network = ['--network', `${machine.name}_nodes`, '--network-alias', 'pacs.example.org'];
    const host = ['--add-host', 'host.docker.internal:host-gateway'];
    const image = ['--entrypoint', 'Orthanc', imageOf('orthanc'), '/etc/archive/orthanc.json'];
    await docker(
      'run',
      '--detach',
      '--name',
      name,
      ...network,
      ...host,
      '--volume',
      `${folder}:/etc/archive:ro`,
      ...image,
    );
    await until(
      () =>
        archive
          .images()
          .catch(() => undefined)
          .then((count) => count !== undefined),
      {
        what: 'the archive answers',
        timeoutMs: 60_000,
        everyMs: 200,
      },
    );
    return archive;
  }

  /** How many images it has. */
  async images(): Promise<number> {
    const text = await docker('exec', this.#name, 'curl', '-fsS', 'http://127.0.0.1:8042/statistics');
    return (JSON.parse(text) as { CountInstances: number }).CountInstances;
  }

  async stop(): Promise<void> {
    await docker('rm', '--force', '--volumes', this.#name).catch(() => undefined);
  }
}

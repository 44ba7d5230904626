/** A stack in Docker's swarm mode, as docs/swarm.md starts it, and what its tests ask of it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, until } from '@scanflow/testkit';
import { docker, whyNot } from '../engine.ts';
import type { Machine } from '../docs.ts';

/** A swarm is of the whole engine, so somebody's own is left alone. */
export async function why(): Promise<string | false> {
  const reason = await whyNot();
  if (reason !== false) return reason;
  if (process.getuid?.() !== 0) return 'NOT RUN: THIS TAKES ROOT';
  const state = (await docker('info', '--format', '{{.Swarm.LocalNodeState}}')).trim();
  return state === 'inactive' ? false : `NOT RUN: THIS ENGINE'S SWARM IS ${state.toUpperCase()}`;
}

interface Shown {
  readonly series: readonly {
    readonly state: string;
    readonly images: { readonly inOrthanc: number; readonly stored: number };
  }[];
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

export class Stack {
  readonly machine: Machine;
  /** Project storage. */
  readonly project: string;

  constructor(machine: Machine) {
    this.machine = machine;
    this.project = machine.path('/mnt/project');
  }

  /** Containers of a service that run and are healthy, on this engine. */
  async containers(service: string): Promise<string[]> {
    const of = ['--filter', `name=${this.machine.name}_${service}`, '--filter', 'health=healthy'];
    return lines(await docker('ps', '--no-trunc', '--quiet', ...of)).toSorted();
  }

  async inside(service: string, ...command: string[]): Promise<string> {
    const [id] = await this.containers(service);
    assert.ok(id !== undefined, `no container of ${service} is healthy`);
    return docker('exec', id, ...command);
  }

  /** Images of each series that is complete. */
  async complete(): Promise<number[]> {
    const page = ['scanflow', 'page', 'streamer', '/api/series'];
    const { series } = JSON.parse(await this.inside('streamer', ...page)) as Shown;
    return series.filter(({ state }) => state === 'complete').map(({ images }) => images.stored);
  }

  /** How many tasks of a service run in the whole swarm, such as `2/2`. */
  async replicas(service: string): Promise<string> {
    const filter = ['--filter', `name=${this.machine.name}_${service}`, '--format', '{{.Replicas}}'];
    return (await docker('service', 'ls', ...filter)).trim();
  }

  /** Ends the stack, the swarm and the volumes. */
  async remove(): Promise<void> {
    const { name } = this.machine;
    await run('docker', ['stack', 'rm', name], { timeoutMs: 120_000 });
    const left = (): Promise<string> =>
      docker('ps', '--all', '--quiet', '--filter', `label=com.docker.stack.namespace=${name}`);
    const ends = { what: 'the stack ends', timeoutMs: 120_000, everyMs: 500 };
    await until(async () => (await left()) === '', ends).finally(() => docker('swarm', 'leave', '--force'));
    await docker('volume', 'rm', '--force', `${name}_orthanc`, `${name}_postgres`);
  }
}

/** SHA-256 of the data set of each DICOM file below a folder: the header before it belongs to who wrote the file (PS3.10 7.1). */
export async function dataSets(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.dcm'));
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const bytes = await readFile(join(parentPath, name));
      // (0002,0000) comes first: the length of what follows it
      const start = 144 + bytes.readUInt32LE(140);
      return createHash('sha256').update(bytes.subarray(start)).digest('hex');
    }),
  );
}

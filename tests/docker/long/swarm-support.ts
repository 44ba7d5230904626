/** A stack in Docker's swarm mode, as docs/swarm.md starts it, and what its tests ask of it. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyEdits, planSplice } from '@scanflow/dicom';
import { run, until } from '@scanflow/testkit';
import { dataSetHash, hashOf } from '../../integration/receiver-support.ts';
import { docker, whyNot } from '../engine.ts';
import type { Machine } from '../docs.ts';

const TAG = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' } as const;

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
    // one that swarm was just starting
    for (const id of lines(await left())) await docker('rm', '--force', id);
    await docker('volume', 'rm', '--force', `${name}_orthanc`, `${name}_postgres`);
  }
}

/** DICOM files below a folder. */
async function imagesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.dcm'))
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** SHA-256 of the data set of each image below a folder. */
export const dataSets = async (folder: string): Promise<string[]> =>
  Promise.all((await imagesBelow(folder)).map(hashOf));

/** What project storage has to hold of each: its data set with the private tag of the sample. */
export const taggedDataSets = async (folder: string): Promise<string[]> =>
  Promise.all(
    (await imagesBelow(folder)).map(async (path) => {
      const file = await readFile(path);
      const plan = planSplice(file, TAG, true);
      assert.ok(plan.kind === 'splice');
      return dataSetHash(applyEdits(file, plan.edits));
    }),
  );

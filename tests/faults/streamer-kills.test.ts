/**
 * The streamer ended by SIGKILL at random moments, one series a time: nothing lost, nothing doubled on disk, nothing half
 * written, at the destination neither. KILLS: how many (10); KILLS_SEED: which.
 */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startStorescp, until } from '@scanflow/testkit';
import { folderOf, verifyForwarded, verifyStored } from '../integration/streamer-verify.ts';
import {
  makeRig,
  phantom,
  scratch,
  settled,
  type Rig,
  type Series,
} from '../integration/streamer-support.ts';

const KILLS = Number(process.env['KILLS'] ?? 10);
const SEED = Number(process.env['KILLS_SEED'] ?? 1);
const IMAGES = 60;
/** About as many moments as a series of 60 has, stored and sent. */
const MOMENTS = 250;
/** From no time to that of a few images. */
const LONGEST_DELAY_US = 30_000;
const KILLER = join(import.meta.dirname, 'random-killer.ts');

/** A small generator (mulberry32), so that a seed names the moments. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

class Hunt {
  readonly #rig: Rig;
  readonly #random: (below: number) => number;
  readonly #file: string;
  readonly #note: string;
  /** How often at which moment. */
  readonly moments = new Map<string, number>();

  constructor(rig: Rig, seed: number) {
    this.#rig = rig;
    this.#random = randomFrom(seed);
    this.#file = join(rig.folder, 'kill');
    this.#note = join(rig.folder, 'killed');
  }

  async start(armed: boolean): Promise<void> {
    const env = {
      KILL_FILE: this.#file,
      KILL_NOTE: this.#note,
      // loading the code is most of a start; whoever is killed does not write the cache
      NODE_COMPILE_CACHE: join(this.#rig.folder, 'compiled'),
      ...(armed ? { KILL_AT_START: '1' } : {}),
    };
    if (armed) await this.#choose(IMAGES);
    await this.#rig.startWith(KILLER, env);
  }

  /** The streamer that runs now dies within its next series. */
  async arm(): Promise<void> {
    await this.#choose(MOMENTS);
    process.kill(this.#rig.streamer().pid, 'SIGUSR2');
  }

  /** Waits until it is dead, or has done everything and is ended in its sleep. Then it is started anew. */
  async dead(count: number): Promise<void> {
    const { program, series } = { program: this.#rig.streamer(), series: this.#rig.series };
    await until(
      async () => {
        if (program.exited()) return true;
        const all = await series().catch(() => []);
        return all.length === count && all.every(({ state }) => state === 'complete') ? true : undefined;
      },
      { what: 'the streamer dies or is done', timeoutMs: 60_000, everyMs: 20 },
    );
    await program.stop('SIGKILL');
    const moment = await readFile(this.#note, 'utf8').catch(() => 'done');
    await rm(this.#note, { force: true });
    this.moments.set(moment, (this.moments.get(moment) ?? 0) + 1);
    // now and then it dies once more while it picks up the pieces
    const again = this.#random(4) === 0;
    await this.start(again);
    if (again) await this.dead(count);
  }

  #choose(within: number): Promise<void> {
    return writeFile(this.#file, `${1 + this.#random(within)} ${this.#random(LONGEST_DELAY_US)}`);
  }
}

test(`streamer: killed at random moments, ${KILLS} series`, async (t) => {
  const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => scp.stop());
  const rig = await makeRig(t, { destinations: { pacs: scp.port }, quiet: '200ms' });
  const hunt = new Hunt(rig, SEED);
  await hunt.start(false);
  await settled(rig, 0);
  await rig.streamer().stop('SIGTERM');
  await hunt.start(false);
  let all: Series[] = [];
  for (let index = 1; index <= KILLS; index += 1) {
    const { folder, files } = await phantom(join(rig.folder, 'mr'), {
      images: IMAGES,
      seriesNumber: index,
      rows: 64,
      columns: 64,
    });
    await settled(rig, all.length, ['complete']);
    await hunt.arm();
    for (const file of files) await rig.orthanc.upload(await readFile(file));
    await rm(folder, { recursive: true });
    await hunt.dead(index);
    all = await settled(rig, index, ['complete']);
    const known = new Set(all.slice(0, -1).map(({ id }) => id));
    for (const series of all)
      if (!known.has(series.id) || index === KILLS) assert.equal(await verifyStored(rig, series), IMAGES);
  }
  assert.equal(await verifyForwarded(all.map(folderOf), await scp.files()), KILLS * IMAGES);
  // one that was killed with a heartbeat in its hands: the next heartbeat, 10 s later at most, clears it away
  const names = await until(
    async () => {
      const found = await readdir(rig.root, { recursive: true });
      return found.every((name) => !name.endsWith('.tmp')) && found;
    },
    { what: 'nothing half written is left', timeoutMs: 30_000, everyMs: 100 },
  );
  assert.equal(
    names.filter((name) => name.endsWith('.dcm')).length,
    KILLS * IMAGES,
    'an image lies there twice',
  );
  assert.equal(
    names.filter((name) => name.endsWith('series.json')).length,
    KILLS,
    'a folder was left behind',
  );
  t.diagnostic(
    `seed ${SEED}; died at ${[...hunt.moments].map(([moment, count]) => `${moment} ${count}`).join(', ')}`,
  );
});

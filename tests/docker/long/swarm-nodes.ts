/** A second node joins, takes a part of the work, is drained, and dies: the first goes on, also at an address that moves to it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { until } from '@scanflow/testkit';
import { docker, imageOf } from '../engine.ts';
import { FIRST, MOVES, SCANNER, SECOND, SecondNode, takeOverAddress } from './swarm-node.ts';
import { getsList, Scanners, worklistAt } from './swarm-scanners.ts';
import type { Stack } from './swarm-support.ts';

const SPREAD = ['worklist', 'streamer'] as const;
/** Longest that scanners of the first node wait when the second falls silent. */
const LONGEST_MS = 5_000;
/** A worklist that ends in peace may cut a query. */
const LONGEST_DRAINED_MS = 2_000;
const SCANNERS = 10;
const PATIENCE = { timeoutMs: 120_000, everyMs: 500 };
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

export function testNodes(stackOf: () => Stack): void {
  let node: SecondNode;
  let id: string;
  const at = (address: string): Promise<boolean> =>
    getsList(worklistAt(address, stackOf().machine.ports.worklist, SCANNER));
  const firstHas = async (service: string, count: number): Promise<boolean> =>
    (await stackOf().containers(service)).length === count;
  const spread = async (service: string): Promise<void> => {
    await docker('service', 'update', '--force', '--quiet', `${stackOf().machine.name}_${service}`);
    assert.ok((await node.containers(service)).length > 0, `the second node has its ${service}`);
  };

  // none where only other tests were asked for
  const started: SecondNode[] = [];
  after(() => Promise.all(started.map((one) => one.remove())));

  test('swarm: a second node joins, and its address answers before it has a worklist', async (t) => {
    node = await SecondNode.start();
    started.push(node);
    const began = performance.now();
    await node.join(['haproxy', 'worklist', 'streamer'].map(imageOf));
    id = (await node.docker('info', '--format', '{{.Swarm.NodeID}}')).trim();
    await until(async () => (await node.containers('proxy')).length === 1, {
      ...{ ...PATIENCE, what: 'HAProxy runs on the second node' },
    });
    assert.equal(await at(SECOND), true, 'by the worklists of the first');
    t.diagnostic(
      `it answered ${seconds(performance.now() - began)} after it began to load images and to join`,
    );
  });

  test('swarm: a node that is drained hands its worklist over', async (t) => {
    await spread('worklist');
    const scanners = new Scanners(SCANNERS, () => at(FIRST));
    t.after(() => scanners.end());
    const away = await scanners.during(async () => {
      await docker('node', 'update', '--availability', 'drain', id);
      await until(() => firstHas('worklist', 2), {
        ...{ ...PATIENCE, what: 'its worklist runs on the first node' },
      });
    });
    t.diagnostic(`no list at the first node for ${seconds(away)} at most`);
    assert.ok(away < LONGEST_DRAINED_MS, seconds(away));
    await docker('node', 'update', '--availability', 'active', id);
  });

  test('swarm: a node with a worklist and a streamer dies; the other answers, also at the address that moves to it', async (t) => {
    for (const service of SPREAD) await spread(service);
    const isBack = async (): Promise<boolean> => (await node.containers('proxy')).length === 1;
    await until(isBack, { ...PATIENCE, what: 'HAProxy runs on the second node again' });
    for (const address of [FIRST, SECOND, MOVES]) assert.equal(await at(address), true, address);
    const scanners = new Scanners(SCANNERS, (n) => at(n % 2 === 0 ? FIRST : MOVES));
    t.after(() => scanners.end());
    let [down, back] = [0, 0];
    const away = await scanners.during(async () => {
      const died = performance.now();
      await node.die();
      await takeOverAddress();
      const isDown = async (): Promise<boolean> =>
        (await docker('node', 'ls', '--format', '{{.Status}}')).includes('Down');
      await until(isDown, { ...PATIENCE, what: 'swarm notices that the node is down' });
      down = performance.now() - died;
      const areBack = async (): Promise<boolean> =>
        (await firstHas('worklist', 2)) && (await firstHas('streamer', 3));
      await until(areBack, { ...PATIENCE, what: 'its services run on the first node' });
      back = performance.now() - died;
    });
    t.diagnostic(
      `no list for ${seconds(away)} at most; down in ${seconds(down)}, its services elsewhere in ${seconds(back)}`,
    );
    assert.ok(away < LONGEST_MS, seconds(away));
    assert.equal(await at(SECOND), false, 'its own address is gone');
    assert.equal(await at(MOVES), true);
  });
}

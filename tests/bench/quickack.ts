/**
 * `npm run bench:quickack [-- --rounds N --images N]`: the receiver of the Docker stack without and with the helper container
 * `quickack`, in turns: images per second from a scanner that waits for acknowledgements (storescu with Nagle's algorithm) and from
 * one that does not (TCP_NODELAY), the receiver's processor time and TCP segments, and what the helper itself takes. Needs Docker
 * and the images of the stack. The scanner is this machine, over the stack's bridge.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeSeries } from '@scanflow/dicom';
import { run } from '@scanflow/testkit';
import { docker, imageOf, Project } from '../docker/engine.ts';
import { machine, median, spread, usageOf } from './usage.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, images: { type: 'string', default: '100' } },
});
const [rounds, images] = [Number(values.rounds), Number(values.images)];
if (![rounds, images].every((one) => Number.isInteger(one) && one > 0))
  throw new Error('--rounds and --images take whole numbers from 1');

const SIDES = [64, 256] as const;
const SENDERS = [
  ['waits', {}],
  ['does not wait', { TCP_NODELAY: '1' }],
] as const;
const UNSET = `for family in -4 -6; do
  ip $family route show | grep quickack | while read -r route; do
    ip $family route change \${route%% quickack*}
  done
done`;
const SEEN = 'grep VmHWM /proc/$$/status; times';

interface Sent {
  readonly perSecond: number;
  /** Of the receiver's container, for each image. */
  readonly cpuMs: number;
  readonly segments: number;
}

interface Place {
  readonly work: string;
  readonly receiver: string;
  readonly address: string;
  /** Of the receiver's Node.js, as this machine sees it. */
  readonly pid: number;
}

/** As the service does it, in the receiver's network; answers its output. */
const inNetwork = ({ receiver }: Pick<Place, 'receiver'>, script: string): Promise<string> => {
  const rights = ['--user', '0:0', '--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN', '--memory', '64m'];
  const where = ['--network', `container:${receiver}`, '--entrypoint', 'sh'];
  return docker('run', '--rm', ...rights, ...where, imageOf('orthanc'), '-c', script);
};

/** Processor time in milliseconds, and TCP segments that the receiver sent. */
async function usage({ receiver, pid }: Place): Promise<{ readonly cpu: number; readonly segments: number }> {
  const text = await docker('exec', receiver, 'cat', '/proc/net/snmp');
  const [names = '', figures = ''] = text.split('\n').filter((line) => line.startsWith('Tcp:'));
  const at = names.split(' ').indexOf('OutSegs');
  return { cpu: (await usageOf(pid)).cpu * 1000, segments: Number(figures.split(' ')[at]) };
}

/** A new series each time: the receiver looks closer at images that it knows. */
async function send(place: Place, side: number, env: Readonly<Record<string, string>>): Promise<Sent> {
  const folder = join(place.work, 'series');
  await mkdir(folder);
  const when = Temporal.Now.zonedDateTimeISO();
  for (const image of makeSeries({ modality: 'MR', images, rows: side, columns: side, when }))
    await writeFile(join(folder, `${image.sopInstanceUid}.dcm`), image.bytes);
  const before = await usage(place);
  const began = performance.now();
  const args = ['-R', '-aet', 'PRISMA', '-aec', 'ORTHANC', '+sd', place.address, '4242', folder];
  const { code, stderr } = await run('storescu', args, { env, timeoutMs: 300_000 });
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`storescu ended with ${String(code)}: ${stderr}`);
  const after = await usage(place);
  await rm(folder, { recursive: true });
  return {
    perSecond: images / seconds,
    cpuMs: (after.cpu - before.cpu) / images,
    segments: (after.segments - before.segments) / images,
  };
}

interface Case {
  readonly side: number;
  readonly sender: (typeof SENDERS)[number];
  readonly off: Sent[];
  readonly on: Sent[];
}

const cases: Case[] = SIDES.flatMap((side) => SENDERS.map((sender) => ({ side, sender, off: [], on: [] })));
const helper: string[] = [];

async function round(place: Place, number: number): Promise<void> {
  for (const which of number % 2 === 1 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
    const said = await inNetwork(place, which === 'on' ? `quickack.sh; ${SEEN}` : UNSET);
    if (which === 'on') helper.push(said);
    for (const one of cases) {
      one[which].push(await send(place, one.side, one.sender[1]));
      console.error(
        `round ${number}, quickack ${which}, ${one.side} × ${one.side}, scanner ${one.sender[0]}: ${one[which].at(-1)?.perSecond.toFixed(0)} images/s`,
      );
    }
  }
}

function table(): string {
  const lines = [
    '| Image | Scanner | images/s without | with quickack | ratio | receiver, ms of processor each | TCP segments each |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const { side, sender, off, on } of cases) {
    const of = (list: readonly Sent[], name: keyof Sent): number[] => list.map((one) => one[name]);
    const ratios = on.map(({ perSecond }, at) => perSecond / (off[at]?.perSecond ?? NaN));
    const both = (name: keyof Sent): string =>
      [off, on].map((list) => median(of(list, name)).toFixed(1)).join(' → ');
    const speeds = [off, on].map((list) => spread(of(list, 'perSecond')));
    const cells = [`${side} × ${side}`, sender[0], ...speeds, spread(ratios, 1), both('cpuMs')];
    lines.push(`| ${[...cells, both('segments')].join(' | ')} |`);
  }
  return lines.join('\n');
}

const work = await mkdtemp(join(tmpdir(), 'scanflow-bench-quickack-'));
const project = await Project.create('quickack', ['compose.yaml']);
try {
  await project.compose('up', '-d', '--wait', 'receiver');
  const { Id: receiver } = await project.inspect('receiver');
  const network = `{{(index .NetworkSettings.Networks "${project.name}_scanners").IPAddress}}`;
  const address = (await docker('inspect', '--format', network, receiver)).trim();
  const processes = await docker('top', receiver, '-eo', 'pid,args');
  const pid = Number(/^\s*(\d+) +(?:\S*\/)?node .*receiver/m.exec(processes)?.[1]);
  const place = { work, receiver, address, pid };
  // the first series warms up the receiver and Orthanc
  await send(place, 64, { TCP_NODELAY: '1' });
  for (let number = 1; number <= rounds; number += 1) await round(place, number);
  const load = loadavg().map((one) => one.toFixed(1));
  console.log(`\n${images} images a series, one association; median (minimum–maximum) of ${rounds} rounds`);
  console.log(`${machine()}; load ${load.join(' ')}\n\n${table()}`);
  console.log(
    `\nThe helper in the last round, with the memory of its shell, and the processor time of shell and children:\n${helper.at(-1)}`,
  );
} finally {
  await project.down();
  await rm(work, { recursive: true, force: true });
}

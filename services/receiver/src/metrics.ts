/** Metrics of the receiver for Prometheus. No label has a value that a stranger can choose. */
import { addGauge, Counter, Gauge, Histogram, type Registry } from '@scanflow/runtime';
import type { Room } from './holding.ts';
import type { OrthancWatch } from './orthanc.ts';
import type { Outcome } from './store.ts';

export interface Metrics {
  readonly accepted: () => void;
  /** `result/source/reason` of PS3.8 9.3.4; `limit`, `tls`. */
  readonly rejected: (reason: string) => void;
  readonly ended: () => void;
  readonly image: (outcome: Outcome, bytes: number, seconds: number) => void;
}

const prefix = 'scanflow_receiver_';

/** Registers the receiver's metrics. */
export function createMetrics(
  registry: Registry,
  room: Room,
  orthanc: Pick<OrthancWatch, 'answers'>,
): Metrics {
  const registers = [registry];
  addRoom(room, registry);
  addOrthanc(orthanc, registry);
  return { ...associationMetrics(registers), image: imageMetrics(registers) };
}

function associationMetrics(registers: Registry[]): Omit<Metrics, 'image'> {
  const associations = new Counter({
    name: `${prefix}associations_total`,
    help: 'Associations that were accepted since the start.',
    registers,
  });
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `${prefix}${name}`, help, registers });
  const open = [
    gauge('open_associations', 'Associations that are open now.'),
    gauge('associations', `Deprecated name of ${prefix}open_associations.`),
  ];
  const rejections = new Counter({
    name: `${prefix}rejections_total`,
    help: 'Associations that were rejected, by result/source/reason (PS3.8 9.3.4), limit, proxy or tls.',
    labelNames: ['reason'],
    registers,
  });
  return {
    accepted: () => {
      associations.inc();
      for (const one of open) one.inc();
    },
    ended: () => {
      for (const one of open) one.dec();
    },
    rejected: (reason) => rejections.inc({ reason }),
  };
}

function imageMetrics(registers: Registry[]): Metrics['image'] {
  const images = new Counter({
    name: `${prefix}images_total`,
    help: 'Images by what became of them: stored; repeated, Orthanc had it; version, Orthanc had other bytes; failed.',
    labelNames: ['outcome'],
    registers,
  });
  const bytes = new Counter({
    name: `${prefix}bytes_total`,
    help: 'Bytes of data sets that arrived whole.',
    registers,
  });
  const seconds = new Histogram({
    name: `${prefix}store_seconds`,
    help: 'Time from the last byte of a data set until Orthanc has it.',
    buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  for (const outcome of ['stored', 'repeated', 'version', 'failed'] as const) images.inc({ outcome }, 0);
  return (outcome, length, took) => {
    images.inc({ outcome });
    bytes.inc(length);
    seconds.observe(took);
  };
}

function addRoom(room: Room, registry: Registry): void {
  for (const place of ['memory', 'disk'] as const)
    addGauge(
      registry,
      `${prefix}held_${place}_bytes`,
      `Bytes of data sets on their way to Orthanc, in ${place === 'disk' ? 'files' : place}.`,
      (gauge) => gauge.set(room.held(place)),
    );
}

function addOrthanc({ answers }: Pick<OrthancWatch, 'answers'>, registry: Registry): void {
  addGauge(
    registry,
    `${prefix}orthanc_up`,
    '1 while Orthanc answers the receiver and takes its password, 0 while it does not. Absent until it was asked.',
    (gauge) => {
      gauge.remove();
      const now = answers();
      if (now !== undefined) gauge.set(now ? 1 : 0);
    },
  );
}

/** Metrics of the receiver for Prometheus. No label has a value that a stranger can choose. */
import { Counter, Gauge, Histogram, type Registry } from '@scanflow/runtime';
import type { Room } from './holding.ts';
import type { Outcome } from './store.ts';

export interface Metrics {
  readonly accepted: () => void;
  /** `result/source/reason` of PS3.8 9.3.4; `limit`, `tls`. */
  readonly rejected: (reason: string) => void;
  readonly ended: () => void;
  readonly image: (outcome: Outcome, bytes: number, seconds: number) => void;
}

/** Registers the receiver's metrics. */
export function createMetrics(registry: Registry, room: Room): Metrics {
  const registers = [registry];
  const prefix = 'scanflow_receiver_';
  const associations = new Counter({ name: `${prefix}associations_total`, help: 'Accepted.', registers });
  const open = new Gauge({ name: `${prefix}associations`, help: 'Open at this moment.', registers });
  const rejections = new Counter({
    name: `${prefix}rejections_total`,
    help: 'Rejected associations by result/source/reason (PS3.8 9.3.4), or limit, or tls.',
    labelNames: ['reason'],
    registers,
  });
  const images = new Counter({
    name: `${prefix}images_total`,
    help: 'Images by what became of them: stored; repeated, Orthanc had it; version, Orthanc had other bytes; failed.',
    labelNames: ['outcome'],
    registers,
  });
  const bytes = new Counter({
    name: `${prefix}bytes_total`,
    help: 'Of data sets that were whole.',
    registers,
  });
  const seconds = new Histogram({
    name: `${prefix}store_seconds`,
    help: 'From the last byte of a data set until Orthanc has it.',
    buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  addRoom(room, registers);
  for (const outcome of ['stored', 'repeated', 'version', 'failed'] as const) images.inc({ outcome }, 0);
  return {
    accepted: () => {
      associations.inc();
      open.inc();
    },
    ended: () => open.dec(),
    rejected: (reason) => rejections.inc({ reason }),
    image: (outcome, length, took) => {
      images.inc({ outcome });
      bytes.inc(length);
      seconds.observe(took);
    },
  };
}

function addRoom(room: Room, registers: Registry[]): void {
  for (const place of ['memory', 'disk'] as const)
    new Gauge({
      name: `scanflow_receiver_held_${place}_bytes`,
      help: `Data sets on their way to Orthanc, in ${place === 'disk' ? 'files' : place}.`,
      registers,
      collect() {
        this.set(room.held(place));
      },
    });
}

/** Which images go through the product together. Each batch has an Orthanc and a streamer of its own, so that disk use is bounded. */
import type { Image } from './image-head.ts';

export interface Bounds {
  readonly images: number;
  readonly bytes: number;
}

/**
 * Whole series, in the order in which they were found, as many as the bounds take; a series beyond them is a batch of its own. No batch
 * has one SOP Instance UID twice: of files that share one, each has its own turn.
 */
export function batchesOf(images: readonly Image[], bounds: Bounds): Image[][] {
  const batches: Image[][] = [];
  for (const layer of layersOf(images)) {
    let batch: Image[] = [];
    let bytes = 0;
    for (const series of Map.groupBy(layer, (image) => image.series).values()) {
      const size = series.reduce((sum, image) => sum + image.size, 0);
      if (batch.length > 0 && (batch.length + series.length > bounds.images || bytes + size > bounds.bytes)) {
        batches.push(batch);
        [batch, bytes] = [[], 0];
      }
      batch.push(...series);
      bytes += size;
    }
    if (batch.length > 0) batches.push(batch);
  }
  return batches;
}

/** The n-th file of a SOP Instance UID is in the n-th layer. */
function layersOf(images: readonly Image[]): Image[][] {
  const layers: Image[][] = [];
  const times = new Map<string, number>();
  for (const image of images) {
    const nth = times.get(image.sopInstanceUid) ?? 0;
    times.set(image.sopInstanceUid, nth + 1);
    (layers[nth] ??= []).push(image);
  }
  return layers;
}

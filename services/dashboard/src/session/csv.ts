/** The report of a session as CSV: a line for each series. */
import { csvText } from '@scanflow/runtime';
import type { SeriesAnswer } from '../sources/streamer-answers.ts';

const COLUMNS = ['accession', 'series_number', 'description', 'modality', 'state', 'made', 'here', 'stored'];

export function sessionCsv(series: readonly SeriesAnswer[]): string {
  const targets = [...new Set(series.flatMap(({ legs }) => legs.map(({ target }) => target)))]
    .filter((target) => target !== 'storage')
    .sort();
  const lines = series.map(({ images, legs, ...one }) => [
    one.accessionNumber,
    one.seriesNumber,
    one.seriesDescription,
    one.modality,
    one.state,
    one.expected ?? '',
    Math.max(images.inOrthanc, images.stored),
    images.stored,
    ...targets.map((target) => legs.find((leg) => leg.target === target)?.done ?? ''),
  ]);
  return csvText([[...COLUMNS, ...targets.map((target) => `sent_${target}`)], ...lines]);
}

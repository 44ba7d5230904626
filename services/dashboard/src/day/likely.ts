/** Why a row of the day has no booking, and to which one it may belong all the same. Pure. */
import type { Labels } from '@scanflow/booking';

/** As far as the numbers of an exam or of images say. */
export interface Unbooked {
  readonly why: 'noNumber' | 'noBooking';
  readonly accessionNumber: string;
}

export const unbookedBy = (accessionNumber = ''): { readonly unbooked: Unbooked } => ({
  unbooked: { why: accessionNumber === '' ? 'noNumber' : 'noBooking', accessionNumber },
});

/** A booking of the day, of the same project and subject. */
export interface Likely {
  readonly id: string;
  readonly start: number;
  readonly labels: Labels;
}

interface Candidate {
  readonly id: string;
  readonly start: number;
  readonly labels?: Labels;
  readonly images: number;
  readonly journey: { readonly verdict: string };
}

/** Bookings of which nothing came go before others, and then the nearest one. */
export function likelyOf(
  { labels, start }: Pick<Candidate, 'labels' | 'start'>,
  booked: readonly Candidate[],
): { readonly likely?: Likely } {
  if (labels === undefined) return {};
  const [best] = booked
    .flatMap(({ id, start: begins, labels: own, images, journey }) =>
      journey.verdict !== 'off' && own?.project === labels.project && own.subject === labels.subject
        ? [{ likely: { id, start: begins, labels: own }, hasImages: images > 0 }]
        : [],
    )
    .toSorted(
      (a, b) =>
        Number(a.hasImages) - Number(b.hasImages) ||
        Math.abs(a.likely.start - start) - Math.abs(b.likely.start - start),
    );
  return best === undefined ? {} : { likely: best.likely };
}

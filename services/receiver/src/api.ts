/** The page for people and `scanflow doctor`: who sends images, and who tried to. */
import type { FastifyInstance } from '@scanflow/runtime';
import type { Door } from './door.ts';

/** Adds /api/senders. */
export function addRoutes(app: FastifyInstance, { from, admitted, refused, scannerOf }: Door): void {
  app.get('/api/senders', () => ({
    /** As `arrivals.from` says; null where it says nothing, and everybody is admitted. */
    from: from() ?? null,
    admitted: admitted.all().map((sender) => ({ ...sender, scanner: scannerOf(sender.callingAet) ?? null })),
    refused: refused.all(),
    /** Senders that gave way to later ones in these lists. */
    dropped: { admitted: admitted.dropped, refused: refused.dropped },
  }));
}

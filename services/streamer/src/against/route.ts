/** POST /api/against, for `scanflow check FILE --against`: the series that a configuration would have quarantined. */
import { formatIssue, parseConfig } from '@scanflow/config';
import type { FastifyInstance } from '@scanflow/runtime';
import { Answer } from '../http/changes.ts';
import type { Ledger } from '../ports.ts';
import { routeRules } from '../settings.ts';
import type { Clock } from '../model/settings.ts';
import type { Bookings } from '../store/place/place.ts';
import { lookAgainst } from './against.ts';

export interface AgainstDeps {
  readonly ledger: Ledger;
  readonly bookings: Bookings;
  readonly clock: Pick<Clock, 'now'>;
}

/** The body: the text of the configuration, and how far back, in milliseconds. */
export function againstRoute(app: FastifyInstance, { ledger, bookings, clock }: AgainstDeps): void {
  app.post('/api/against', async ({ body }) => {
    const { config, within } = body as { readonly config?: unknown; readonly within?: unknown };
    if (typeof config !== 'string' || typeof within !== 'number')
      throw new Answer(400, 'expected config, the text of a configuration, and within, in milliseconds');
    const parsed = parseConfig(config, 'the configuration');
    if (!parsed.ok) throw new Answer(400, parsed.issues.map(formatIssue).join('\n'));
    return lookAgainst(routeRules(parsed.config), clock.now() - within, { ledger, bookings });
  });
}

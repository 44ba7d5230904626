/** The service that makes BIDS datasets, and the sessions that it is to convert. */
import { bidsUrl, HOOK_WAITS_HOURS } from '@scanflow/config';
import { failed, sees, warning, type Check, type Finding, type Place } from '@scanflow/transfer/doctor/check';
import { askApi, askPage } from '../installation.ts';
import { ageText, HOUR_S, judgeHealth } from './health.ts';
import { cannotAsk } from './results.ts';

/** Where the configuration has `bids`: its service, which the streamer asks, and the sessions that it is to convert. */
export function bidsChecks(place: Place, version: string): Check[] {
  const { bids } = place.config;
  if (bids === undefined || !sees(place, 'streamer')) return [];
  return [
    {
      name: 'bids',
      run: async (signal) => {
        const url = `${bidsUrl(bids, place.service !== undefined)}/healthz`;
        const page = await askPage(url, signal);
        const service =
          'trouble' in page
            ? [
                failed(
                  `bids does not answer at ${url} (${page.trouble})`,
                  'Start it, or look why it ended: docker compose ps -a bids, docker compose logs bids; in containers COMPOSE_PROFILES=bids starts it. Sessions wait meanwhile, and nothing is lost.',
                ),
              ]
            : judgeHealth('bids', page, version);
        const hooks = await askApi(place.config, 'streamer', '/api/hooks?limit=1', signal);
        const open = 'trouble' in hooks ? undefined : hooks.body['open'];
        if (!Array.isArray(open)) return [...service, cannotAsk('streamer', 'which hands sessions to bids')];
        return [...service, ...judgeBids(open as readonly BidsRuns[], Temporal.Now.instant())];
      },
    },
  ];
}

/** Runs of a hook that are not done, as `/api/hooks` counts them. */
interface BidsRuns {
  readonly target: string;
  readonly failed: number;
  /** When the oldest that is pending began to be so: an instant. */
  readonly waiting?: string;
}

/** Sessions that failed, or wait too long; nothing where all is well. Pure. */
export function judgeBids(open: readonly BidsRuns[], now: Temporal.Instant): Finding[] {
  const runs = open.find(({ target }) => target === 'hook:bids');
  if (runs === undefined) return [];
  const { failed: given, waiting } = runs;
  const seconds = waiting === undefined ? 0 : now.since(Temporal.Instant.from(waiting)).total('seconds');
  return [
    ...(given === 0
      ? []
      : [
          warning(
            `${given} ${given === 1 ? 'session' : 'sessions'} could not become a BIDS dataset`,
            'scanflow bids status names each with its reason; then scanflow bids redo SESSION.',
          ),
        ]),
    ...(seconds < HOOK_WAITS_HOURS.bids * HOUR_S
      ? []
      : [
          warning(
            `a session has waited for its BIDS conversion for ${ageText(seconds)}`,
            'scanflow bids status shows its last failure. Raise bids.parallel if only the queue is long.',
          ),
        ]),
  ];
}

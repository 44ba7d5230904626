/** Who sends images, and whether anybody may. */
import { ok, skipped, warning, type Check, type Finding } from './finding.ts';
import { askApi } from './pages.ts';
import { sees, type Place } from './place.ts';

export const senderChecks = (place: Place): Check[] =>
  sees(place, 'streamer') ? [{ name: 'senders', run: (signal) => lookAtSenders(place, signal) }] : [];

async function lookAtSenders(place: Place, signal: AbortSignal): Promise<Finding> {
  const page = await askApi(place.config, 'streamer', '/api/senders', signal);
  if ('trouble' in page)
    return skipped('the streamer, which knows them, cannot be asked', 'See secrets and streamer above.');
  const senders = Array.isArray(page.body['senders']) ? page.body['senders'].flatMap(senderOf) : [];
  return judgeSenders(place.config.arrivals.from, senders);
}

export interface Sender {
  readonly aet: string;
  readonly called: string;
  readonly address: string;
  readonly admitted: boolean;
}

function senderOf(value: unknown): Sender[] {
  if (typeof value !== 'object' || value === null) return [];
  const { aet, called, address, admitted } = value as Readonly<Record<string, unknown>>;
  return typeof aet === 'string' && typeof called === 'string' && typeof address === 'string'
    ? [{ aet, called, address, admitted: admitted === true }]
    : [];
}

/** As many as a person reads. */
const MOST = 10;

/** Pure. */
export function judgeSenders(from: unknown, senders: readonly Sender[]): Finding {
  const seen = senders.slice(0, MOST).map(textOf).join('; ');
  const more = senders.length > MOST ? `; and ${senders.length - MOST} more` : '';
  const list = senders.length === 0 ? 'nobody sent any yet' : `seen: ${seen}${more}`;
  if (from === undefined)
    return warning(
      `images of any AE title go to projects; ${list}`,
      'Give each scanner the AE titles with which it sends (scanners.NAME.sends), then set arrivals.from: scanners; or arrivals.from: any if that is meant.',
    );
  const refused = senders.filter(({ admitted }) => !admitted);
  if (refused.length === 0) return ok(`all who sent images are known; ${list}`);
  return warning(
    `images of ${refused.slice(0, MOST).map(textOf).join('; ')} are quarantined: arrivals.from does not name them`,
    'If that is a scanner of yours, add the AE title to its sends and restart the streamer.',
  );
}

const textOf = ({ aet, called, address }: Sender): string =>
  [
    aet === '' ? 'no AE title' : aet,
    ...(address === '' ? [] : [`at ${address}`]),
    ...(called === '' ? [] : [`calling ${called}`]),
  ].join(' ');

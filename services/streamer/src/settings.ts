/** The configuration as the steps use it. */
import { defined, given } from '@scanflow/failure/defined';
import { BIDS, bidsUrl, labelRules, admits, layoutTemplate, sendersOf, type Config } from '@scanflow/config';
import { tokenFileOf } from '@scanflow/runtime';
import { tagOf } from '@scanflow/dicom';
import type { Dial } from '@scanflow/dimse';
import { parseLayout, type Layout } from './store/place/layout.ts';
import { DOUBT_KINDS } from './model/series.ts';
import { DEFAULT_RETRY, type RetryPolicy, hoursOf } from './work/pace.ts';
import type { RouteRules } from './store/place/route.ts';
import type { TagRules } from './store/record.ts';
import type { Reach, Destination, Settings } from './model/settings.ts';
import { seriesKeywords } from './store/image.ts';
import type { VerifySettings } from './verify/types.ts';
import type { Hook } from './hooks/plan.ts';

const RECONCILE_MS = 3_600_000;
const RECHECK_MS = 5_000;
/** Orthanc before 1.12 holds each file that it serves in memory. */
const LIMITS = { count: 4, bytes: 256 * 1024 * 1024 };

/** The configuration as the steps use it. */
export function settingsOf(config: Config, dials: ReadonlyMap<string, Dial>): Settings {
  const { arrivals, storage, destinations } = config;
  const layoutOf = (layout: string): Layout => parseLayout(layoutTemplate(layout, storage.extension));
  const settings: Settings = {
    quietMs: arrivals.quiet,
    pollMs: arrivals.poll,
    join: arrivals.join === undefined ? undefined : { withinMs: arrivals.join.within },
    route: routeRules(config),
    tag: tagRules(config.tag),
    layout: layoutOf(storage.layout),
    unmatched: storage.unmatched === 'quarantine' ? undefined : layoutOf(storage.unmatched),
    homes: Object.entries(storage.projects).map(([projects, { root, layout = storage.layout }]) => ({
      projects,
      root,
      layout: layoutOf(layout),
    })),
    copy: storage.copy === undefined ? undefined : layoutOf(storage.copy.layout),
    tar: storage.tar,
    destinations: Object.entries(destinations).map(([name, destination]) => ({
      name,
      reach: reachOf(destination, dials.get(name)),
      ...sendingOf(destination, config.facility.timezone),
    })),
    commitments: commitmentsOf(config, dials),
    limits: LIMITS,
    retry: DEFAULT_RETRY,
    reconcileMs: RECONCILE_MS,
    recheckMs: RECHECK_MS,
  };
  for (const keyword of seriesKeywords(settings)) tagOf(keyword);
  return settings;
}

/** How images are routed, by this configuration. */
export function routeRules({
  arrivals: { from, patterns, doubts },
  bookings,
  scanners,
  facility,
}: Pick<Config, 'arrivals' | 'bookings' | 'scanners' | 'facility'>): RouteRules {
  const senders = sendersOf(scanners);
  return {
    patterns,
    patientId: bookings.patientId,
    patientName: bookings.patientName,
    timeZone: facility.timezone,
    senders,
    admits: (aet) => admits(from, senders, aet),
    labels: labelRules({ bookings }),
    quarantined: new Set(DOUBT_KINDS.filter((kind) => doubts[kind] === 'quarantine')),
  };
}

/** The rules of the configuration have seen to it that one of the two is whole. */
function reachOf(destination: Config['destinations'][string], dial: Dial | undefined): Reach {
  const { host = '', port = 0, aet = '', callingAet = 'SCANFLOW', associations = 1, transcode } = destination;
  const dialled = defined({ dial });
  if (destination.url === undefined)
    return {
      kind: 'c-store',
      peer: { host, port, calledAet: aet, callingAet, ...dialled },
      associations,
      transcode: transcode !== 'never',
    };
  const { url, username, passwordFile, tokenFile } = destination;
  return { kind: 'stow', url, username, passwordFile, tokenFile, ...dialled };
}

/** Which series, how fast, when, and how often. */
function sendingOf(
  { when, rate, schedule, retry }: Config['destinations'][string],
  timeZone: string,
): Omit<Destination, 'name' | 'reach'> {
  return {
    when,
    rate,
    ...defined({
      schedule: given(schedule, (schedule) => ({ windows: schedule, timeZone })),
      retry: given(retry, policyOf),
    }),
  };
}

const policyOf = ({
  first: firstMs,
  most: capMs,
  giveUp,
}: NonNullable<Config['destinations'][string]['retry']>): RetryPolicy => ({
  firstMs,
  capMs,
  ...defined({ giveUpMs: giveUp }),
});

function commitmentsOf(
  { destinations }: Config,
  dials: ReadonlyMap<string, Dial>,
): NonNullable<Settings['commitments']> {
  return Object.entries(destinations).flatMap(([name, destination]) => {
    const { commitment, callingAet = 'SCANFLOW', url } = destination;
    if (commitment === undefined) return [];
    const { host = destination.host ?? '', port = destination.port ?? 0, within: withinMs } = commitment;
    const calledAet = commitment.aet ?? destination.aet ?? '';
    // the certificates of a web server are not those of a DICOM node
    const dial = url === undefined ? dials.get(name) : undefined;
    const { attempts, batch, answers, wait } = commitment;
    const peer = { host, port, calledAet, callingAet, ...defined({ dial }) };
    return [{ name, peer, withinMs, lingerMs: answers === 'same' ? wait : 0, attempts, batch }];
  });
}

const tagRules = ({ apply, group, creator, element, value, accession, time }: Config['tag']): TagRules => ({
  apply,
  group: hexadecimal(group),
  creator,
  element: hexadecimal(element),
  vr: 'LO',
  value,
  accession: accession === undefined ? undefined : hexadecimal(accession),
  time: time === undefined ? undefined : hexadecimal(time),
});

const hexadecimal = (digits: string): number => Number.parseInt(digits, 16);

export function verifySettings({
  storage: { verify },
  facility,
}: Pick<Config, 'storage' | 'facility'>): VerifySettings {
  return {
    every: verify.every === 'never' ? undefined : verify.every,
    until: verify.until,
    rate: verify.rate,
    hours: hoursOf(verify.schedule, facility.timezone),
  };
}

const COMMAND_MS = 30 * 60_000;

const WEBHOOK_MS = 30_000;

/** While the bids service is away, a session waits for days: tries go up to one in an hour. */
const BIDS_RETRIES = 200;

/** The hooks of the configuration, and the built-in one where sessions are converted to BIDS. */
export const hooksOf = (
  config: Pick<Config, 'hooks' | 'bids' | 'data' | 'http'>,
  inContainer: boolean,
): Hook[] => [
  ...ownHooks(config.hooks),
  ...(config.bids === undefined
    ? []
    : [
        {
          name: BIDS,
          on: ['complete'] as const,
          when: undefined,
          retries: BIDS_RETRIES,
          timeoutMs: config.bids.timeout,
          run: {
            kind: 'bids',
            url: bidsUrl(config.bids, inContainer),
            tokenFile: tokenFileOf(config),
          } as const,
        },
      ]),
];

const ownHooks = (hooks: Config['hooks']): Hook[] =>
  Object.entries(hooks).map(
    ([name, { on, when, command, url, secretFile, environment, timeout, retries }]) => ({
      name,
      on,
      when,
      retries,
      timeoutMs: timeout ?? (url === undefined ? COMMAND_MS : WEBHOOK_MS),
      run:
        url === undefined
          ? { kind: 'command', command: command ?? [], environment }
          : { kind: 'webhook', url, secretFile },
    }),
  );

/** `destinations` and `commitments`: other nodes that get the images, and their reports of storage commitment; with the rules between these keys. */
import { z } from 'zod';
import { callingTls, listeningRules, listeningTls } from './network.ts';
import { sending } from './sending.ts';
import { MINUTE_MS, DAY_MS } from '@scanflow/runtime/time';
import { aeTitle, host, port, bindAddress, interval, file } from './values.ts';
import { pairRule, type Finding } from './issue.ts';

/** Of a destination. */
const commitment = z
  .strictObject({
    within: interval(1_000, 30 * DAY_MS, 'from 1s to 30d')
      .prefault('1h')
      .describe('How long Scanflow waits for a report; then it requests again.'),
    answers: z
      .enum(['later', 'same'])
      .default('later')
      .describe(
        'How the node reports: `later`, on a call to `commitments`, or on the `same` association, which stays open for it. The streamer takes reports that come the other way, too.',
      ),
    wait: interval(1_000, 10 * MINUTE_MS, 'from 1s to 10m')
      .prefault('30s')
      .describe('With `answers: same`: how long the association stays open for the report.'),
    attempts: z
      .int()
      .min(1)
      .max(20)
      .default(3)
      .describe(
        'How often Scanflow requests without getting a report, and how often it sends an image that the node reports as failed. Then that shows as a failure.',
      ),
    batch: z.int().min(1).max(5_000).default(1_000).describe('Most images of one request.'),
    host: host.optional().describe('Where Scanflow requests it, if not at the `host` of the destination.'),
    port: port.min(1).optional().describe('Likewise, if not at its `port`.'),
    aet: aeTitle.optional().describe('Likewise, if that node has another AE title.'),
  })
  .optional()
  .describe(
    'Storage commitment: images count as delivered only when the node has committed itself to keeping them; docs/commitment.md explains it.',
  );

/** Of the streamer. */
export const commitments = z.strictObject({
  bind: bindAddress
    .default('127.0.0.1')
    .describe(
      'Address on which the streamer receives reports: `127.0.0.1` only this machine, `0.0.0.0` all networks.',
    ),
  port: port
    .default(11113)
    .describe(
      'Port on which the streamer receives reports. Only destinations with `commitment` may call, with their AE title. They call the AE title with which Scanflow calls them.',
    ),
  tls: listeningTls.optional().describe('TLS of that port, as in DICOM PS3.15 annex B.'),
});

export const destination = z.strictObject({
  host: host.optional().describe('Host name or address of a DICOM node.'),
  port: port.min(1).optional().describe('Port; goes with `host`.'),
  aet: aeTitle.optional().describe('Its AE title; goes with `host`.'),
  callingAet: aeTitle.optional().describe('AE title with which Scanflow calls; `SCANFLOW` if absent.'),
  url: z
    .url({ protocol: /^https?$/, error: 'expected an address like https://pacs.example.org/dicom-web' })
    .optional()
    .describe(
      'Address of a DICOMweb service, instead of `host`: images go there by STOW-RS, to `/studies` below it.',
    ),
  username: z.string().min(1).optional().describe('User there; goes with `url` and `passwordFile`.'),
  passwordFile: file.optional().describe('File that holds the password; goes with `username`.'),
  tokenFile: file
    .optional()
    .describe('File that holds a bearer token, instead of user and password; read anew each time.'),
  tls: callingTls
    .optional()
    .describe('TLS; without it, images go in the clear (an address with `https:` has it in any case).'),
  associations: z
    .int()
    .min(1)
    .max(16)
    .optional()
    .describe('Associations at the same time, 1 if absent. If a node takes fewer, the streamer uses those.'),
  transcode: z
    .enum(['lossless', 'never'])
    .optional()
    .describe(
      'What goes to a node that does not take an image’s transfer syntax: a copy that Orthanc converts to an uncompressed one (`lossless`, also if absent), or nothing (`never`). Nothing is ever compressed with loss.',
    ),
  ...sending,
  commitment,
});

type Destination = z.output<typeof destination>;
type Destinations = Readonly<Record<string, Destination>>;

export const destinationRules = (destinations: Destinations): Finding[] =>
  Object.entries(destinations).flatMap(([name, destination]) => {
    const path = ['destinations', name];
    return [
      ...reachRules(path, destination),
      ...pairRule([...path, 'tls'], 'key', 'certificate', destination.tls),
    ];
  });

const OF_DICOM = ['port', 'aet', 'callingAet', 'associations', 'transcode'] as const;
const OF_WEB = ['username', 'passwordFile', 'tokenFile'] as const;

function reachRules(path: readonly string[], destination: Destination): Finding[] {
  const { host, url } = destination;
  if ((host === undefined) === (url === undefined))
    return [{ path, message: 'expected exactly one of host (DICOM, with port and aet) and url (DICOMweb)' }];
  const foreign = (url === undefined ? OF_WEB : OF_DICOM)
    .filter((key) => destination[key] !== undefined)
    .map((key) => ({
      path: [...path, key],
      atKey: true,
      message: url === undefined ? 'is for a url, and there is a host' : 'is for a host, and there is a url',
    }));
  return [
    ...foreign,
    ...(url === undefined ? nodeRules(path, destination) : webRules(path, url, destination)),
  ];
}

const nodeRules = (path: readonly string[], destination: Destination): Finding[] =>
  (['port', 'aet'] as const)
    .filter((key) => destination[key] === undefined)
    .map((key) => ({ path: [...path, key], message: 'is missing and must be given, as there is a host' }));

function webRules(path: readonly string[], url: string, destination: Destination): Finding[] {
  const { username, tokenFile, tls } = destination;
  const { username: user, password, search, hash, protocol } = new URL(url);
  const findings: Finding[] = [];
  const add = (key: string, message: string): void => void findings.push({ path: [...path, key], message });
  if (user !== '' || password !== '')
    add('url', 'secrets never stand here: use username and passwordFile, or tokenFile');
  if (search !== '' || hash !== '') add('url', 'expected an address without ? and #');
  if (tls !== undefined && protocol !== 'https:') add('tls', 'is for an address that begins with https:');
  findings.push(...pairRule(path, 'username', 'passwordFile', destination));
  if (tokenFile !== undefined && username !== undefined)
    add('tokenFile', 'takes the place of username and passwordFile: leave one of the two out');
  return findings;
}

/** `listens`: whether there is a section `commitments`; undefined where it is not known. */
export function commitmentRules(destinations: Destinations, listens: boolean | undefined): Finding[] {
  return Object.entries(destinations).flatMap(([name, { commitment, url }]) => {
    if (commitment === undefined) return [];
    const path = ['destinations', name, 'commitment'];
    const missing = (['host', 'port', 'aet'] as const)
      .filter((key) => url !== undefined && commitment[key] === undefined)
      .map((key) => ({
        path: [...path, key],
        message: 'is missing and must be given, as there is a url: Scanflow requests commitment by DICOM',
      }));
    if (commitment.answers === 'same' || listens !== false) return missing;
    return [
      ...missing,
      {
        path: [...path, 'answers'],
        message: 'needs the section commitments, which says where later reports are received',
      },
    ];
  });
}

export const commitmentsRules = ({ tls }: z.output<typeof commitments>): Finding[] =>
  listeningRules(['commitments'], tls);

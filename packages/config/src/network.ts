/** Who may connect and how it is secured: TLS, access to the worklist, `receiver`, and senders; with the rules between these keys. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { SECOND_MS, DAY_MS } from '@scanflow/runtime/time';
import { aeTitle, host, bindAddress, interval, port, proxyAddresses, file } from './values.ts';
import type { Finding } from './issue.ts';

const profile = z
  .enum(['bcp195', 'bcp195-nondowngrading'])
  .default('bcp195')
  .describe(
    'TLS profile (DICOM PS3.15): `bcp195` (B.12), or `bcp195-nondowngrading` (B.10, retired), which also offers DHE to peers that know no ECDHE. Both take TLS 1.2 and 1.3.',
  );

/** TLS where Scanflow listens. */
export const listeningTls = z.strictObject({
  key: file.describe(
    'TLS as in DICOM PS3.15 annex B: file of the private key (PEM, without password). With TLS the port takes nothing else; the usual one is 2762. The service reads changed files within a minute.',
  ),
  certificate: file.describe(
    'File of the certificate (PEM), followed by those between it and its authority.',
  ),
  ca: file
    .optional()
    .describe('File of the certificates (PEM) of the authorities that vouch for the scanners.'),
  requirePeerCertificate: z
    .boolean()
    .optional()
    .describe('Whether a scanner must show a certificate; `true` if `ca` is given, else `false`.'),
  profile,
});

/** TLS where Scanflow calls. */
export const callingTls = z.strictObject({
  ca: file
    .optional()
    .describe(
      'File of the certificates (PEM) of the authorities that vouch for it. If absent, those that Node.js trusts. `tls: {}` turns TLS on with that.',
    ),
  key: file
    .optional()
    .describe('File of our private key (PEM, without password), if it requires a certificate from us.'),
  certificate: file.optional().describe('File of our certificate (PEM); goes with `key`.'),
  profile,
  serverName: host.optional().describe('Name in its certificate, if that is not `host`.'),
});

/** Which items a scanner sees; the default says what is meant where the key is absent. */
export const view = z
  .union([z.enum(['all', 'own']), z.array(aeTitle).min(1)], {
    error: 'expected all, own, or a list of AE titles like [PRISMA, SKYRA]',
  })
  .describe('What a scanner sees: `all` items, its `own`, or those of a list of AE titles.');

const network = z
  .string({ error: 'expected an address like 10.1.2.3, or a network like 10.1.2.0/24' })
  .refine(isNetwork, { error: 'expected an address like 10.1.2.3, or a network like 10.1.2.0/24' })
  .meta({ title: 'address or network' });

function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more !== undefined) return false;
  // with the bits of IPv4, somebody means another network
  if (/^::ffff:/i.test(address) && bits !== undefined && Number(bits) < 96) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

const CERTIFICATE =
  'expected a SHA-256 fingerprint of 64 hexadecimal digits, or attributes of the subject like CN=prisma,O=Example';
const certificate = z
  .string({ error: CERTIFICATE })
  .regex(
    /^(?:(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}|[A-Za-z]+=[^,=]+(?:,\s*[A-Za-z]+=[^,=]+)*)$/,
    CERTIFICATE,
  )
  .meta({ title: 'certificate' });

/** Conditions on one caller beyond its AE title, which anyone can use; `ca` is the key that certificates need. */
const callerProof = (ca: string) => ({
  addresses: z
    .array(network)
    .min(1)
    .optional()
    .describe(
      'NAME is the AE title of a caller: addresses and networks from which it calls, such as `[10.1.2.3, 10.1.3.0/24]`. If absent, any.',
    ),
  certificates: z
    .array(certificate)
    .min(1)
    .optional()
    .describe(
      `It must show one of these certificates. Each is a SHA-256 fingerprint, or attributes of the subject such as \`CN=prisma,O=Example\`. Needs \`${ca}\`.`,
    ),
});

/** The worklist's. */
export const accessEntry = z.strictObject({
  ...callerProof('worklist.tls.ca'),
  view: view.optional().describe('What it sees, instead of `worklist.view`.'),
});

/** Of a port for scanners. */
export const dicomProxies = proxyAddresses
  .refine((all) => all.every((one) => isNetwork(one) && !/\/0+$/.test(one)), {
    error:
      'expected addresses like 10.0.5.2 and networks like 10.0.5.0/24, not all addresses: who calls from one of them may say who calls',
  })
  .default([])
  .describe(
    'Addresses and networks of proxies in front that speak the PROXY protocol (HAProxy: `send-proxy-v2`), such as `[10.0.5.0/24]`. Only they may say who calls, and they must. The address that they name counts for limits, logs, `access` and lists of callers: docs/security.md#proxies.',
  );

export const receiver = z.strictObject({
  bind: bindAddress
    .optional()
    .describe('Address on which the receiver listens. If absent, that of `worklist.bind`.'),
  port: port.default(4242).describe('Port on which the receiver takes images (C-STORE), without TLS.'),
  aets: z
    .array(aeTitle)
    .min(1)
    .optional()
    .describe(
      'AE titles by which scanners may call the receiver, such as `[ORTHANC]`. It rejects an association that calls another one. If absent, any.',
    ),
  idle: interval(10 * SECOND_MS, DAY_MS, 'from 10s to 1d')
    .prefault('5m')
    .describe(
      'The receiver ends an association in which nothing comes for this long. Choose more than the longest pause of your scanners within one. From 10s to 1d.',
    ),
  access: z
    .record(aeTitle, z.strictObject(callerProof('receiver.tls.ca')))
    .default({})
    .describe('What a sender has to prove beyond its AE title, each under its AE title.'),
  proxies: dicomProxies,
  tls: listeningTls
    .extend({ port: port.default(2762).describe('Port on which the receiver takes images with TLS.') })
    .optional()
    .describe('TLS, as in DICOM PS3.15 annex B, on a port of its own beside the plain one.'),
});

/** Scanners by name, with their AE titles. */
type Scanners = Readonly<
  Record<string, { readonly aet: string; readonly sends?: readonly string[] | undefined }>
>;
type Admitted = 'scanners' | 'any' | readonly string[] | undefined;

/** AE title → name of the scanner: the title with which it queries, and those with which it sends. */
export const sendersOf = (scanners: Scanners): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(scanners).flatMap(([name, { aet, sends = [] }]) =>
      [aet, ...sends].map((title) => [title, name] as const),
    ),
  );

/** Whether images of this AE title may go to projects; without `from`, those of everybody. */
export function admits(from: Admitted, senders: ReadonlyMap<string, string>, aet: string): boolean {
  if (from === undefined || from === 'any') return true;
  return from === 'scanners' ? senders.has(aet) : from.includes(aet);
}

/** An AE title tells one scanner from another, so it belongs to one. */
export function senderRules(scanners: Scanners): Finding[] {
  const owners = new Map(Object.entries(scanners).map(([name, { aet }]) => [aet, name]));
  return Object.entries(scanners).flatMap(([name, { sends = [] }]) =>
    sends.flatMap((title, index): Finding[] => {
      const path = ['scanners', name, 'sends', String(index)];
      const owner = owners.get(title);
      owners.set(title, owner ?? name);
      if (sends.indexOf(title) < index) return [{ path, message: `${title} stands in the list already` }];
      if (owner === undefined || owner === name) return [];
      return [{ path, message: `${owner} has the AE title ${title} already; each scanner needs its own` }];
    }),
  );
}

type Receiver = z.output<typeof receiver>;

/** What `worklist` says of who calls. */
interface Worklist {
  readonly tls?: z.output<typeof listeningTls> | undefined;
  readonly access: Readonly<Record<string, z.output<typeof accessEntry>>>;
  readonly allow: 'scanners' | 'any' | readonly string[];
}

/** Rules for whoever listens; a section that is itself mistaken is left out. */
export const networkRules = ({
  worklist,
  receiver,
  arrivals,
  scanners,
}: {
  readonly worklist: Worklist | undefined;
  readonly receiver: Receiver | undefined;
  readonly arrivals: { readonly from?: Admitted } | undefined;
  readonly scanners: Scanners | undefined;
}): Finding[] => [
  ...(worklist === undefined ? [] : worklistRules(worklist, scanners)),
  ...(receiver === undefined ? [] : receiverRules(receiver, arrivals?.from, scanners)),
];

function worklistRules({ tls, access, allow }: Worklist, scanners: Scanners | undefined): Finding[] {
  const why = allow === 'scanners' ? 'it is no AE title of scanners' : 'add it to worklist.allow';
  return [
    ...listeningRules(['worklist'], tls),
    ...accessRules(['worklist'], { tls, access }, (aet) =>
      isAllowed(aet, allow, scanners) ? undefined : `${aet} is not admitted: ${why}`,
    ),
  ];
}

/** Certificates need an authority, and who has to prove something is one whose images are taken. */
function receiverRules({ tls, access }: Receiver, from: Admitted, scanners: Scanners | undefined): Finding[] {
  const senders = scanners && sendersOf(scanners);
  return [
    ...listeningRules(['receiver'], tls),
    ...accessRules(['receiver'], { tls, access }, (aet) =>
      senders === undefined || admits(from, senders, aet)
        ? undefined
        : `images of ${aet} are not taken: add it to scanners.NAME.sends or arrivals.from`,
    ),
  ];
}

type Listening = Pick<z.output<typeof listeningTls>, 'ca' | 'requirePeerCertificate'> | undefined;

/** Of a section with a port of its own. */
export const listeningRules = (section: readonly string[], tls: Listening): Finding[] =>
  tls?.requirePeerCertificate === true && tls.ca === undefined
    ? [
        {
          path: [...section, 'tls', 'requirePeerCertificate'],
          message: 'needs ca: without it, no certificate can be verified',
        },
      ]
    : [];

/** Of the callers of a section. `refused`: why nothing of this caller is taken. */
const accessRules = (
  section: readonly string[],
  {
    tls,
    access,
  }: {
    readonly tls: Listening;
    readonly access: Readonly<Record<string, { readonly certificates?: unknown }>>;
  },
  refused: (aet: string) => string | undefined,
): Finding[] =>
  Object.entries(access).flatMap(([aet, { certificates }]): Finding[] => {
    const path = [...section, 'access', aet];
    const message = refused(aet);
    const needsCa = certificates !== undefined && tls?.ca === undefined;
    return [
      ...(needsCa
        ? [
            {
              path: [...path, 'certificates'],
              message: `needs ${section.join('.')}.tls with ca: without it, nobody shows a certificate`,
            },
          ]
        : []),
      ...(message === undefined ? [] : [{ path, atKey: true, message }]),
    ];
  });

function isAllowed(aet: string, allow: Worklist['allow'], scanners: Scanners | undefined): boolean {
  if (allow === 'any' || (allow === 'scanners' && scanners === undefined)) return true;
  return allow === 'scanners'
    ? Object.values(scanners ?? {}).some((scanner) => scanner.aet === aet)
    : allow.includes(aet);
}

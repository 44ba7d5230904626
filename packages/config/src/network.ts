/** The keys of scanflow.yaml about who may connect and how it is secured: TLS, and access to the worklist. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { aeTitle, host } from './values.ts';

const file = z.string().min(1);
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

/** What is asked of one caller beyond its AE title, which anyone can use; `ca` is the key that certificates need. */
export const callerProof = (ca: string) => ({
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

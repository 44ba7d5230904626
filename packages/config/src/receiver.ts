/** `receiver`: where scanners send images to, and what is asked of who sends. */
import { z } from 'zod';
import { callerProof, listeningTls } from './network.ts';
import { aeTitle, bindAddress, interval, port } from './values.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

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
  tls: listeningTls
    .extend({ port: port.default(2762).describe('Port on which the receiver takes images with TLS.') })
    .optional()
    .describe('TLS, as in DICOM PS3.15 annex B, on a port of its own beside the plain one.'),
});

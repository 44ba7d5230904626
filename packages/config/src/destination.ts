/** `destinations`: other DICOM nodes and DICOMweb services that get the images. */
import { z } from 'zod';
import { commitment } from './commitment.ts';
import { callingTls } from './network.ts';
import { sending } from './sending.ts';
import { aeTitle, host, port } from './values.ts';

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
  passwordFile: z.string().min(1).optional().describe('File that holds the password; goes with `username`.'),
  tokenFile: z
    .string()
    .min(1)
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

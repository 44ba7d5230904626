/** `destinations`: other DICOM nodes that get the images. */
import { z } from 'zod';
import { callingTls } from './network.ts';
import { aeTitle, host, modality, port } from './values.ts';

export const destination = z.strictObject({
  host: host.describe('Host name or address.'),
  port: port.min(1).describe('Port.'),
  aet: aeTitle.describe('Its AE title.'),
  callingAet: aeTitle.default('SCANFLOW').describe('AE title with which Scanflow calls.'),
  tls: callingTls.optional().describe('TLS; without it, images go in the clear.'),
  associations: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe('Associations side by side; a node that takes fewer is served by those that it takes.'),
  when: z
    .strictObject({
      modality: z.array(modality).min(1).optional().describe('Only these modalities.'),
    })
    .optional()
    .describe('Which series are sent; all where absent.'),
});

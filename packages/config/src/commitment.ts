/** Storage commitment: `commitment` of a destination, and where its reports are received (`commitments`). */
import { z } from 'zod';
import { listeningTls } from './network.ts';
import { aeTitle, bindAddress, host, interval, port } from './values.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Of a destination. */
export const commitment = z
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

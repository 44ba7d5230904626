/** `storage.verify`: how stored files are read again and compared with what was stored. */
import { z } from 'zod';
import { rates, windows } from './sending.ts';
import { interval } from './values.ts';

const DAY_MS = 86_400_000;

export const verify = z
  .strictObject({
    every: z
      .literal('never')
      .or(interval(1_000, 3650 * DAY_MS, 'from 1s to 3650d, or never'))
      .prefault('30d')
      .describe(
        'How often the streamer reads each stored file again and compares it with its SHA-256: the images, `series.tar` and the copy. `never`: only when a person runs `scanflow verify`.',
      ),
    rate: rates
      .prefault('50MB/s')
      .describe(
        'Most that one streamer reads for it: `50MB/s`, `600/min` (files), or both. While images arrive it reads a tenth of that.',
      ),
    schedule: windows
      .optional()
      .describe(
        "Hours in which it reads by itself, in the facility's time, like the `schedule` of a destination. If absent, always. A person's request does not wait for them.",
      ),
    until: interval(1_000, 3650 * DAY_MS, 'of at most 3650d')
      .optional()
      .describe(
        'By itself, the streamer does not verify a series that was stored longer ago, for facilities where people move files after some time. If absent, it verifies all.',
      ),
  })
  .prefault({})
  .describe('Verification of what is stored, by reading it again. It changes nothing.');

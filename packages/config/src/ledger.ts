/** `ledger`: where the streamer keeps what it has seen and done. */
import { z } from 'zod';
import { interval } from './values.ts';

const HOUR_MS = 3_600_000;
const file = z.string().min(1);

export const ledger = z.strictObject({
  url: z
    .url({
      protocol: /^postgres(ql)?$/,
      error: 'expected an address like postgresql://scanflow@postgres:5432/scanflow',
    })
    .optional()
    .describe(
      'Database of a PostgreSQL server, for several streamers that share the work. Absent: a SQLite file in `data`, for one streamer.',
    ),
  passwordFile: file.optional().describe('File that holds the password of the user in `url`.'),
  tls: z
    .strictObject({
      ca: file.describe("File with the certificate of the authority that signed the server's (PEM)."),
    })
    .optional()
    .describe(
      'The connection is encrypted, and the server has to prove its name, or nothing is sent to it; without `tls`, the connection is in the clear.',
    ),
  lease: interval(2_000, HOUR_MS, 'from 2s to 1h')
    .prefault('1m')
    .describe(
      'Another streamer takes over the work of one that gives no sign of life for this long: from 2s to 1h. The clocks of their machines must agree much better than that.',
    ),
});

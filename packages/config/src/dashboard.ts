/** The day board: where it listens, and under which names browsers may open it. */
import { z } from 'zod';
import { DAY_MS, MINUTE_MS } from '@scanflow/runtime/time';
import { database } from './streaming.ts';
import { bindAddress, host, interval, port } from './values.ts';

const address = z.url({ protocol: /^https?$/, error: 'expected an address like http://cal2wl:9101' });

export const dashboard = z.strictObject({
  bind: bindAddress
    .optional()
    .describe('Address on which the board listens for browsers. If absent, that of `http.bind`.'),
  port: port.default(8080).describe('Port of the board.'),
  hosts: z
    .array(host)
    .default([])
    .describe(
      'Names by which browsers open the board, such as `board.example.org`. They must come by TLS: put a reverse proxy in front (docs/sign-in.md). Loopback works without TLS and without an entry.',
    ),
  proxies: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
    .default([])
    .describe(
      'Addresses and networks of the reverse proxies in front, such as `[172.18.0.1]`. Only they may say who asks (`X-Forwarded-For`) and that TLS was used (`X-Forwarded-Proto`).',
    ),
  database: database
    .optional()
    .describe(
      'PostgreSQL database of users, sessions and audit log, by a user with a schema of its own ([scale](scale.md)). Absent: a SQLite file in `data`.',
    ),
  silentAfter: interval(MINUTE_MS, DAY_MS, 'from 1m to 1d')
    .prefault('15m')
    .describe(
      'A console turns amber when its scanner has reported no image, no query and no news of a running exam for so long.',
    ),
  services: z
    .strictObject({
      cal2wl: address.optional().describe('Address of cal2wl, if it runs elsewhere.'),
      worklist: address.optional().describe('Address of the worklist service, if it runs elsewhere.'),
      streamer: address.optional().describe('Address of the streamer, if it runs elsewhere.'),
      receiver: address.optional().describe('Address of the receiver, if it runs elsewhere.'),
    })
    .prefault({}),
});

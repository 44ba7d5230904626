/** The keys of scanflow.yaml about where a calendar is and how it is fetched. */
import { z } from 'zod';
import { host, interval } from './values.ts';

const HOUR_MS = 3_600_000;
const file = z.string().min(1);

/** TLS where a calendar is fetched. */
const fetchingTls = z.strictObject({
  ca: file
    .optional()
    .describe(
      'File of the certificates (PEM) of the authorities that vouch for the server. If absent, those that Node.js trusts.',
    ),
  key: file
    .optional()
    .describe(
      'File of our private key (PEM, without password), if the server requires a certificate from us.',
    ),
  certificate: file.optional().describe('File of our certificate (PEM); goes with `key`.'),
});

/** Keys of one calendar; the rules between them are in calendar-rules.ts. */
export const fetching = {
  url: z
    .url({
      protocol: /^https?$|^webcal$/,
      error: 'expected an address like https://booking.example.org/prisma.ics',
    })
    .optional()
    .describe('http, https or webcal address of the calendar.'),
  file: file.optional().describe('Path of an .ics file, relative to the configuration file.'),
  folder: file
    .optional()
    .describe(
      'Path of a folder, relative to the configuration file; all .ics files in it together are the calendar.',
    ),
  caldav: z
    .url({
      protocol: /^https?$/,
      error: 'expected the address of one calendar like https://cloud.example.org/dav/calendars/lab/prisma/',
    })
    .optional()
    .describe('http or https address of one calendar on a CalDAV server.'),
  username: z.string().min(1).optional().describe('User for basic authentication.'),
  passwordFile: file.optional().describe('File that holds the password; goes with `username`.'),
  tokenFile: file
    .optional()
    .describe(
      'File that holds a bearer token, instead of `username`. Each fetch reads it anew, and passwords too.',
    ),
  tls: fetchingTls
    .optional()
    .describe('TLS settings of an https address; files are read anew at each fetch.'),
  proxy: z
    .string()
    .refine((text) => text === 'none' || /^https?:$/.test(URL.parse(text)?.protocol ?? ''), {
      error: 'expected an address like http://proxy.example.org:3128, or none',
    })
    .default('none')
    .describe(
      'Proxy through which cal2wl fetches the calendar, or `none`. Environment variables do not count.',
    ),
  proxyUsername: z.string().min(1).optional().describe('User of the proxy, if it requires one.'),
  proxyPasswordFile: file
    .optional()
    .describe('File that holds the password for the proxy; goes with `proxyUsername`.'),
  redirects: z
    .array(host)
    .default([])
    .describe(
      'Hosts that the server may redirect to, whatever their addresses. Other hosts must be public, or of the same kind as the address itself (private, loopback, link-local).',
    ),
  timeout: interval(1, HOUR_MS, 'of at most 1h')
    .prefault('60s')
    .describe('Longest time for one fetch, at most 1h.'),
  maxSize: z.int().min(1024).default(67_108_864).describe('Largest calendar in bytes, decoded.'),
};

/** Where a calendar is and how it is fetched; with the rules between these keys. */
import { z } from 'zod';
import { HOUR_MS } from '@scanflow/runtime/time';
import { host, interval, file } from './values.ts';
import { pairRule, type Finding } from './issue.ts';

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

/** What cal2wl writes back into a calendar; nothing if absent. */
export const answer = z
  .strictObject({
    property: z
      .enum(['comment', 'categories'])
      .default('comment')
      .describe('`comment` says why; `categories` is `Scanflow rejected` or `Scanflow taken`.'),
    when: z
      .array(z.enum(['rejected', 'taken']))
      .default(['rejected'])
      .describe('Which events get one. `[]` removes all.'),
  })
  .optional()
  .describe(
    'Writes into events of a `caldav` calendar what became of them. Its user needs permission to write. If absent, cal2wl writes nothing. docs/booking-reference.md#answers-in-the-calendar says which events it leaves alone.',
  );

type Calendar = z.output<z.ZodObject<typeof fetching>>;

/** What is wrong with `answer`; `path` leads to the calendar. */
export function answerRules(
  path: readonly string[],
  calendar: Pick<Calendar, 'caldav'> & {
    readonly answer?: z.output<typeof answer>;
    readonly scanner: unknown;
  },
): Finding[] {
  if (calendar.answer === undefined) return [];
  const problem = (message: string): Finding[] => [{ path: [...path, 'answer'], message }];
  if (calendar.caldav === undefined) return problem('goes with caldav only: nothing else can be written');
  const { scanner } = calendar;
  const isByCategory =
    typeof scanner === 'object' && scanner !== null && 'by' in scanner && scanner.by === 'categories';
  return calendar.answer.property === 'categories' && isByCategory
    ? problem('has property: categories, but the categories name the scanner here; choose comment')
    : [];
}

const PLACES = ['url', 'file', 'folder', 'caldav'] as const;
/** Keys that mean nothing for what is read from disk. */
const WEB_ONLY = ['username', 'passwordFile', 'tokenFile', 'tls'] as const;

/** What is wrong with how a calendar is fetched; `path` leads to it. */
export function fetchingRules(path: readonly string[], calendar: Calendar): Finding[] {
  const given = PLACES.filter((key) => calendar[key] !== undefined);
  const web = calendar.url ?? calendar.caldav;
  return [
    ...(given.length === 1 ? [] : [{ path, message: 'expected exactly one of url, file, folder, caldav' }]),
    ...(['url', 'caldav', 'proxy'] as const)
      .filter((key) => hasLogin(calendar[key]))
      .map((key) => ({
        path: [...path, key],
        message:
          key === 'proxy'
            ? 'has a user or a password in it; put them into proxyUsername and proxyPasswordFile'
            : 'has a user or a password in it; put them into username and passwordFile',
      })),
    ...(web === undefined && given.length === 1 ? webOnlyRules(path, calendar) : []),
    ...secretRules(path, calendar, web),
    ...proxyRules(path, calendar),
  ];
}

const webOnlyRules = (path: readonly string[], calendar: Calendar): Finding[] =>
  [...WEB_ONLY.filter((key) => calendar[key] !== undefined), ...(calendar.proxy === 'none' ? [] : ['proxy'])]
    .filter((key) => key !== 'passwordFile' || calendar.username === undefined)
    .map((key) => ({
      path: [...path, key],
      atKey: true,
      message: 'goes with url or caldav only: nothing is fetched from a server here',
    }));

function secretRules(path: readonly string[], calendar: Calendar, web: string | undefined): Finding[] {
  const { tokenFile, username, tls } = calendar;
  const findings: Finding[] = [];
  if (tokenFile !== undefined && username !== undefined)
    findings.push({
      path: [...path, 'tokenFile'],
      atKey: true,
      message: 'takes the place of username and passwordFile: leave one of the two out',
    });
  findings.push(...pairRule([...path, 'tls'], 'key', 'certificate', tls));
  if (tls !== undefined && web !== undefined && /^http:/i.test(web))
    findings.push({ path: [...path, 'tls'], message: 'needs an address that begins with https' });
  return findings;
}

function proxyRules(
  path: readonly string[],
  { proxy, proxyUsername, proxyPasswordFile }: Calendar,
): Finding[] {
  const key = proxyUsername === undefined ? 'proxyPasswordFile' : 'proxyUsername';
  if (proxyUsername === undefined && proxyPasswordFile === undefined) return [];
  const problem = (message: string): Finding[] => [{ path: [...path, key], atKey: true, message }];
  if (proxy === 'none') return problem('goes with proxy only: none is given here');
  if (proxyUsername === undefined) return problem('needs a proxyUsername');
  return proxyPasswordFile === undefined ? problem('needs a proxyPasswordFile') : [];
}

function hasLogin(address: string | undefined): boolean {
  const url = address === undefined ? null : URL.parse(address);
  return url !== null && (url.username !== '' || url.password !== '');
}

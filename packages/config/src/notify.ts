/** Who hears what, and how: mail, webhooks and chats, the people by role, quiet hours; with the rules between these keys. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@scanflow/runtime/time';
import { z } from 'zod';
import { pairRule, type Finding } from './issue.ts';
import { scheduleRules, windows } from './sending.ts';
import { file, host, interval, port } from './values.ts';

/** One address, without a name: nothing in it can end a header. */
const mailAddress = z
  .string()
  .max(254)
  .regex(
    /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/,
    'expected a mail address like it@example.org',
  )
  .meta({ title: 'mail address' });

const domain = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'expected a domain in small letters like example.org');

const mail = z.strictObject({
  host: host.describe('Mail server (SMTP submission).'),
  port: port.default(587).describe('Its port: 587 for STARTTLS, 465 for TLS from the first byte.'),
  security: z
    .enum(['starttls', 'tls', 'none'])
    .default('starttls')
    .describe(
      'How the connection is encrypted. `starttls` sends nothing if the server offers none. The certificate is checked in both. `none`: in the clear, for a relay on this machine or in this network.',
    ),
  tls: z
    .strictObject({
      ca: file.describe("File with the certificate of the authority that signed the server's (PEM)."),
    })
    .optional()
    .describe('If the authority is not one that Node.js knows.'),
  username: z.string().min(1).max(254).optional().describe('User at the mail server.'),
  passwordFile: file
    .optional()
    .describe('File that holds the password; goes with `username`. Read anew for each mail.'),
  from: mailAddress.describe('Sender of all mails.'),
  replyTo: mailAddress.optional().describe('Where answers go; to `from` if absent.'),
  timeout: interval(1_000, 5 * MINUTE_MS, 'from 1s to 5m')
    .prefault('30s')
    .describe('Longest wait for an answer of the server.'),
});

const webAddress = z.url({
  protocol: /^https?$/,
  error: 'expected an address like https://lab.example.org/scanflow',
});

const webhook = z.strictObject({
  url: webAddress.describe('Address that gets each notice by POST as JSON.'),
  secretFile: file
    .optional()
    .describe('File with the key that signs each request (HMAC-SHA256), as those of `hooks` are signed.'),
});

const chat = z.strictObject({
  kind: z.enum(['slack', 'teams', 'matrix', 'mattermost']).describe('Whose incoming webhook it is.'),
  urlFile: file.describe(
    'File that holds the address of the incoming webhook: who knows the address may write there.',
  ),
});

const channelNames = z
  .array(z.string())
  .max(20)
  .default([])
  .describe('Names of `notify.webhooks` and `notify.chats`.');

const addresses = z.array(mailAddress).max(20).default([]).describe('Mail addresses.');

/** What facility IT hears of. */
export const IT_TOPICS = [
  'quarantine',
  'failed',
  'waiting',
  'hooks',
  'verification',
  'calendar',
  'storage',
  'certificate',
  'service',
] as const;

const it = z.strictObject({
  mail: addresses,
  channels: channelNames,
  topics: z
    .array(z.enum(IT_TOPICS))
    .default([...IT_TOPICS])
    .describe(
      'Topics: series in `quarantine`, `failed` or `waiting` too long; failed `hooks`; findings of `verification`; a `calendar` that cannot be read; `storage` (a root that is refused, a disk below its floor or nearly full, Orthanc or the ledger away); a `certificate` that runs out; a `service` that does not answer.',
    ),
  urgent: z
    .array(z.enum(IT_TOPICS))
    .default(['storage', 'service'])
    .describe('Topics that wait neither for quiet hours to end nor for `gather`.'),
  waiting: interval(MINUTE_MS, 30 * DAY_MS, 'from 1m to 30d')
    .prefault('4h')
    .describe('A series that has not got where it belongs for this long waits too long.'),
  stale: interval(MINUTE_MS, 30 * DAY_MS, 'from 1m to 30d')
    .prefault('1h')
    .describe('A calendar that could not be read for this long is stale.'),
  certificate: interval(DAY_MS, 365 * DAY_MS, 'from 1d to 365d')
    .prefault('21d')
    .describe('A certificate that ends within this time is soon out.'),
  away: interval(10_000, DAY_MS, 'from 10s to 1d')
    .prefault('5m')
    .describe(
      'A service that does not answer for this long is away. cal2wl watches the streamer, and the streamer watches the others.',
    ),
});

const booker = z.strictObject({
  domains: z
    .array(domain)
    .min(1)
    .max(100)
    .describe(
      'Only addresses of these domains get mail, each exactly: `example.org` leaves out `lab.example.org`. Whoever may book could name any address.',
    ),
  topics: z
    .array(z.enum(['rejected', 'taken', 'stored']))
    .default(['rejected', 'stored'])
    .describe(
      '`rejected`: a booking that cannot be taken, with the reason and an example. `taken`: each booking that is. `stored`: a session is complete, incomplete or failed.',
    ),
  example: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      'A correct title, shown with each rejected booking. If absent, an example with the lines `Project:`, `Subject:` and `Session:`.',
    ),
  contact: z.string().min(1).max(200).optional().describe('Whom bookers may ask, shown in each mail.'),
});

const project = z.strictObject({ mail: addresses, channels: channelNames });

export const notify = z.strictObject({
  mail: mail.optional().describe('The mail server. If absent, nobody gets mail.'),
  webhooks: z
    .record(z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'expected a short name like ops'), webhook)
    .default({})
    .describe('Programs that get notices, each under a short name (`NAME`).'),
  chats: z
    .record(z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'expected a short name like ops'), chat)
    .default({})
    .describe('Chat rooms that get notices, each under a short name (`NAME`).'),
  it: it.optional().describe('Facility IT.'),
  booker: booker.optional().describe('Who booked: the organizer of the event.'),
  projects: z
    .record(z.string().min(1).max(64), project)
    .default({})
    .describe(
      'Projects (`PROJECT`, by their label, in quotes) whose people hear of each session that is complete, incomplete or failed.',
    ),
  quiet: windows
    .optional()
    .describe(
      'Quiet hours, like `{ from: "19:00", to: "07:00" }`. Messages wait until they end, but for `it.urgent`. What is over by then is left out.',
    ),
  gather: interval(1, HOUR_MS, 'of at most 1h')
    .prefault('5m')
    .describe(
      'What comes within this time goes into one message. A matter counts as resolved when it was so for this long.',
    ),
  again: interval(1, 30 * DAY_MS, 'of at most 30d')
    .prefault('4h')
    .describe(
      'Facility IT hears of news in the same matter at most this often. Without news Scanflow repeats nothing.',
    ),
  most: z
    .int()
    .min(1)
    .max(1000)
    .default(30)
    .describe('Most messages to one address within an hour. What is left over is summed up after that.'),
});

type Notify = z.output<typeof notify>;

export function notifyRules(section: Notify): Finding[] {
  const { mail: server, booker: who, quiet } = section;
  return [
    ...scheduleRules(['notify', 'quiet'], quiet ?? []),
    ...(server === undefined ? [] : mailRules(server)),
    ...nameRules(section),
    ...peopleRules(section),
    ...(who !== undefined && server === undefined
      ? [{ path: ['notify', 'booker'], message: NO_SERVER }]
      : []),
  ];
}

function nameRules({ webhooks, chats }: Notify): Finding[] {
  const taken = (section: string, name: string, message: string): Finding => ({
    path: ['notify', section, name],
    message,
    atKey: true,
  });
  return [
    ...Object.entries({ webhooks, chats }).flatMap(([section, names]) =>
      'mail' in names ? [taken(section, 'mail', 'is what mail is called; choose another name')] : [],
    ),
    ...Object.keys(chats).flatMap((name) =>
      name in webhooks ? [taken('chats', name, 'is the name of a webhook already')] : [],
    ),
  ];
}

function peopleRules({ mail: server, webhooks, chats, it: staff, projects }: Notify): Finding[] {
  const known = new Set([...Object.keys(webhooks), ...Object.keys(chats)]);
  const all: [string[], Notify['projects'][string] | undefined][] = [
    [['it'], staff],
    ...Object.entries(projects).map(([name, one]): [string[], Notify['projects'][string]] => [
      ['projects', name],
      one,
    ]),
  ];
  return all.flatMap(([where, one]): Finding[] => {
    if (one === undefined) return [];
    const path = ['notify', ...where];
    return [
      ...one.channels.flatMap((name, index) =>
        known.has(name)
          ? []
          : [
              {
                path: [...path, 'channels', String(index)],
                message: `there is no ${name} under notify.webhooks and notify.chats`,
              },
            ],
      ),
      ...(one.mail.length > 0 && server === undefined
        ? [{ path: [...path, 'mail'], message: NO_SERVER }]
        : []),
      ...(one.mail.length + one.channels.length === 0
        ? [{ path, message: 'names nobody: expected mail or channels' }]
        : []),
    ];
  });
}

const NO_SERVER = 'needs notify.mail: there is no mail server';

function mailRules(server: NonNullable<Notify['mail']>): Finding[] {
  const findings = pairRule(['notify', 'mail'], 'username', 'passwordFile', server);
  if (server.security === 'none' && server.username !== undefined)
    findings.push({
      path: ['notify', 'mail', 'security'],
      message: 'a password would go over the network in the clear; expected starttls or tls',
    });
  if (server.security === 'none' && server.tls !== undefined)
    findings.push({ path: ['notify', 'mail', 'tls'], message: 'is for starttls and tls' });
  return findings;
}

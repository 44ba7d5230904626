/** The day board: where it listens, under which names browsers may open it, and who signs in; with the rules between these keys. */
import { DAY_MS, MINUTE_MS } from '@scanflow/runtime/time';
import { z } from 'zod';
import type { Finding } from './issue.ts';
import { callingTls, listeningTls } from './network.ts';
import { database, databaseRules } from './streaming.ts';
import { bindAddress, file, host, interval, pattern, port, proxyAddresses } from './values.ts';

const address = z.url({ protocol: /^https?$/, error: 'expected an address like http://cal2wl:9101' });

const group = z.string().min(1).max(256);

const oidcSchema = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/, error: 'expected an address like https://login.example.org/realms/staff' })
    .describe(
      'Address of the identity provider, exactly as it names itself (`issuer` in its `/.well-known/openid-configuration`). `http:` on loopback only.',
    ),
  name: z
    .string()
    .min(1)
    .max(64)
    .default('your institution’s account')
    .describe('What people call the account; stands on the button “Sign in with …”.'),
  clientId: z.string().min(1).max(256).describe('Client ID of the board at the identity provider.'),
  secretFile: file.describe('File that holds the client secret; read anew at each use.'),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'expected the name of a scope'))
    .default(['profile', 'email'])
    .describe(
      'Scopes that the board requests beside `openid`, such as `[profile, email, groups]`. Some providers give groups only with a scope of their own.',
    ),
  groupsClaim: z
    .string()
    .min(1)
    .max(256)
    .default('groups')
    .describe('Claim that lists the groups of a person, in the ID token or at the UserInfo endpoint.'),
  roles: z
    .strictObject({
      it: z.array(group).default([]).describe('Groups of facility IT.'),
      operator: z.array(group).default([]).describe('Groups of operators.'),
      member: z
        .union([z.literal('everybody'), z.array(group)], {
          error: 'expected everybody, or a list of groups like [mri-users]',
        })
        .default([])
        .describe(
          'Groups of lab members; `everybody`: whoever the identity provider lets in. A group of a project makes members, too.',
        ),
    })
    .prefault({})
    .describe('Which groups give which role. The highest counts; without any, nobody gets in.'),
  projects: z
    .record(group, z.array(z.string().min(1).max(256)).min(1))
    .default({})
    .describe('Projects that members of a group see, under the name of the group.'),
  projectPattern: pattern()
    .optional()
    .describe(
      'Pattern over the names of groups whose named group `project` is a project, such as `^mri-(?<project>\\d{7}\\.\\d{2})$`.',
    ),
  session: interval(5 * MINUTE_MS, 7 * DAY_MS, 'from 5m to 7d')
    .prefault('12h')
    .describe(
      'How long people stay signed in at most. A role that the identity provider takes away is gone after this time. From 5m to 7d.',
    ),
  tls: callingTls.pick({ ca: true }).optional().describe('TLS to the identity provider.'),
});

export const dashboard = z.strictObject({
  bind: bindAddress
    .optional()
    .describe('Address on which the board listens for browsers. If absent, that of `http.bind`.'),
  port: port.default(8080).describe('Port of the board.'),
  hosts: z
    .array(host)
    .default([])
    .describe(
      'Names by which browsers open the board, such as `board.example.org`. They must come by TLS: by `tls`, or by a reverse proxy in front (docs/sign-in.md). Loopback works without TLS and without an entry.',
    ),
  proxies: proxyAddresses
    .default([])
    .describe(
      'Addresses and networks of the reverse proxies in front, such as `[172.18.0.1]`. Only they may say who asks (`X-Forwarded-For`) and that TLS was used (`X-Forwarded-Proto`).',
    ),
  database: database
    .optional()
    .describe(
      'PostgreSQL database of users, sessions, audit log and links of consoles, by a user with a schema of its own ([scale](scale.md)). Absent: a SQLite file in `data`.',
    ),
  silentAfter: interval(MINUTE_MS, DAY_MS, 'from 1m to 1d')
    .prefault('15m')
    .describe(
      'A console turns amber when its scanner has reported no image, no query and no news of a running exam for so long.',
    ),
  tls: z
    .strictObject({
      key: file.describe(
        'File of the private key (PEM, without password). The board then speaks TLS alone on its port, and reads changed files within a minute.',
      ),
      certificate: listeningTls.shape.certificate,
    })
    .optional()
    .describe('TLS of the board itself. Without it, a reverse proxy has to bring TLS to other machines.'),
  oidc: oidcSchema
    .optional()
    .describe('Signing in by OpenID Connect, beside local users. docs/sign-in.md explains it.'),
  services: z
    .strictObject({
      cal2wl: address.optional().describe('Address of cal2wl, if it runs elsewhere.'),
      worklist: address.optional().describe('Address of the worklist service, if it runs elsewhere.'),
      streamer: address.optional().describe('Address of the streamer, if it runs elsewhere.'),
      receiver: address.optional().describe('Address of the receiver, if it runs elsewhere.'),
    })
    .prefault({}),
});

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export const dashboardRules = ({ database, oidc }: z.output<typeof dashboard>): Finding[] => [
  ...(database === undefined ? [] : databaseRules(['dashboard', 'database'], database.url)),
  ...(oidc === undefined ? [] : oidcRules(oidc)),
];

function oidcRules(oidc: z.output<typeof oidcSchema>): Finding[] {
  const findings: Finding[] = [];
  const add = (key: string, message: string): void =>
    void findings.push({ path: ['dashboard', 'oidc', key], message });
  const { protocol, hostname, username, password, search, hash } = new URL(oidc.issuer);
  if (protocol === 'http:' && !LOOPBACK.has(hostname))
    add('issuer', 'must begin with https: beyond loopback, anybody on the way could say who signs in');
  if (username !== '' || password !== '' || search !== '' || hash !== '')
    add('issuer', 'expected an address without user, ? and #');
  if (oidc.projectPattern?.names.includes('project') === false)
    add('projectPattern', 'needs a named group (?<project>…)');
  const { it, operator, member } = oidc.roles;
  const groups = [...it, ...operator, ...(member === 'everybody' ? [member] : member)];
  if (groups.concat(Object.keys(oidc.projects)).length === 0 && oidc.projectPattern === undefined)
    add('roles', 'needs a group: without any, nobody who signs in would see anything');
  return findings;
}

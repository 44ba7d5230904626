/** What no single value of the configuration shows: broken rules between them, and warnings about good values. Pure. */
import { LABELS, WALK_IN, type Pattern } from '@scanflow/booking';
import { didYouMean, pairRule, type ConfigWarning, type Finding } from './issue.ts';
import { BIDS, bidsRules } from './bids.ts';
import { answerRules, fetchingRules } from './calendar.ts';
import { dashboardRules } from './dashboard.ts';
import { commitmentRules, commitmentsRules, destinationRules } from './destination.ts';
import { hookRules, ledgerRules, tagRules } from './streaming.ts';
import { attributeProblem, type KnownAttributes } from './values.ts';
import { layoutRules } from './layouts.ts';
import { networkRules, senderRules } from './network.ts';
import type { Config } from './schema.ts';
import { notifyRules } from './notify.ts';
import { sendingRules } from './sending.ts';
import { legRules, nestedRoots, storageRules } from './storage.ts';
import { scannersNamed, vocabularyRules } from './vocabulary.ts';

const KEYWORD = /^[A-Z][A-Za-z0-9]{1,63}$/;

/** Sections whose own values are good; rules that need a section that is not are left out. */
export type GoodSections = { readonly [Section in keyof Config]?: Config[Section] | undefined };

/** Every broken rule between values that are good one by one. Without `known`, attributes are checked for their form. */
export function brokenRules(
  {
    calendars,
    scanners,
    orthanc,
    bookings,
    storage,
    arrivals,
    receiver,
    data,
    worklist,
    destinations,
    hooks,
    bids,
    commitments,
    tag,
    ledger,
    dashboard,
    notify,
  }: GoodSections,
  known?: KnownAttributes,
): Finding[] {
  return [
    ...(calendars === undefined ? [] : calendarRules(calendars, scanners, bookings)),
    ...(scanners === undefined ? [] : [...scannerRules(scanners), ...senderRules(scanners)]),
    ...(orthanc === undefined ? [] : loginRules(['orthanc'], orthanc)),
    ...(bookings === undefined
      ? []
      : [...templateRules(bookings), ...vocabularyRules(['bookings'], bookings)]),
    ...(storage === undefined ? [] : [...layoutRules(storage, known), ...storageRules(storage, data)]),
    ...(arrivals === undefined ? [] : labelRules(arrivals, known)),
    ...networkRules({ worklist, receiver, arrivals, scanners }),
    ...(destinations === undefined
      ? []
      : [...destinationRules(destinations), ...legRules(destinations), ...sendingRules(destinations)]),
    ...(hooks === undefined ? [] : hookRules(hooks)),
    ...bidsRules(bids, hooks),
    ...(destinations === undefined ? [] : commitmentRules(destinations, commitments !== undefined)),
    ...(commitments === undefined ? [] : commitmentsRules(commitments)),
    ...(tag === undefined ? [] : tagRules(tag)),
    ...(ledger === undefined ? [] : ledgerRules(ledger)),
    ...(dashboard === undefined ? [] : dashboardRules(dashboard)),
    ...(notify === undefined ? [] : notifyRules(notify)),
  ];
}

/** Keys of which one takes the other's place; both have defaults or none, so only the text shows that both are written. */
export const writtenTwice = (has: (path: readonly string[]) => boolean): Finding[] =>
  has(['bookings', 'every']) && has(['bookings', 'cron'])
    ? [
        {
          path: ['bookings', 'cron'],
          atKey: true,
          message: 'takes the place of every: leave one of the two out',
        },
      ]
    : [];

function calendarRules(
  calendars: Config['calendars'],
  scanners: Config['scanners'] | undefined,
  bookings: Config['bookings'] | undefined,
): Finding[] {
  const owners = new Map<string, string>();
  return Object.entries(calendars).flatMap(([name, calendar]) => {
    const path = ['calendars', name];
    const id = calendar.id ?? name;
    const owner = owners.get(id);
    owners.set(id, owner ?? name);
    const known = scanners === undefined ? undefined : Object.keys(scanners);
    return [
      ...(owner === undefined
        ? []
        : [
            {
              path: calendar.id === undefined ? path : [...path, 'id'],
              message: `has the id of calendars.${owner}: ${id}; accession numbers derive from it, so each calendar needs its own`,
            },
          ]),
      ...loginRules(path, calendar),
      ...fetchingRules(path, calendar),
      ...answerRules(path, calendar),
      ...vocabularyRules(path, calendar, bookings),
      ...scannersNamed(path, calendar).flatMap(([place, scanner]) =>
        known === undefined || known.includes(scanner)
          ? []
          : [{ path: place, message: noScanner(scanner, known) }],
      ),
    ];
  });
}

function scannerRules(scanners: Config['scanners']): Finding[] {
  const owners = new Map<string, string>();
  return Object.entries(scanners).flatMap(([name, { aet }]) => {
    const owner = owners.get(aet);
    owners.set(aet, owner ?? name);
    return owner === undefined
      ? []
      : [
          {
            path: ['scanners', name, 'aet'],
            message: `${owner} has the AE title ${aet} already; each scanner needs its own`,
          },
        ];
  });
}

const loginRules = (path: readonly string[], section: object): Finding[] =>
  pairRule(path, 'username', 'passwordFile', section);

const noScanner = (name: string, known: readonly string[]): string => {
  const there = known.length === 0 ? 'it is empty' : `there: ${known.join(', ')}`;
  return `there is no scanner ${name} under scanners (${there})${didYouMean(name, known)}`;
};

function templateRules(bookings: Config['bookings']): Finding[] {
  return (['patientId', 'patientName'] as const).flatMap((key) => {
    const path = ['bookings', key];
    const template = bookings[key];
    const fields = [...template.matchAll(/\{(?<name>[^{}]*)\}/g)].map(({ groups }) => groups?.['name'] ?? '');
    const findings: Finding[] = fields
      .filter((name) => !LABELS.some((label) => label === name))
      .map((name) => ({ path, message: `{${name}} is no label; there are {project}, {subject}, {session}` }));
    if (/[{}]/.test(template.replaceAll(/\{[^{}]*\}/g, '')))
      findings.push({
        path,
        message: 'has a brace without its partner; expected a text like {project}_{subject}',
      });
    else if (findings.length === 0 && !fields.includes('subject'))
      findings.push({ path, message: 'needs {subject}: without it, different people would have the same' });
    return findings;
  });
}

/** The patterns over attributes must together give all three labels; where there is none, only bookings give them. */
function labelRules({ patterns }: Config['arrivals'], known: KnownAttributes | undefined): Finding[] {
  const path = ['arrivals', 'patterns'];
  const findings: Finding[] = Object.keys(patterns).flatMap((keyword) => {
    const message = KEYWORD.test(keyword)
      ? attributeProblem(keyword, known)
      : 'expected the keyword of a DICOM attribute, like PatientID';
    return message === undefined ? [] : [{ path: [...path, keyword], atKey: true, message }];
  });
  const given = Object.values(patterns).flatMap(({ names }) => names);
  const missing = LABELS.filter((label) => !given.includes(label));
  if (given.length > 0 && missing.length > 0)
    findings.push({
      path,
      message: `no pattern has the named group ${missing.map((name) => `(?<${name}>…)`).join(', ')}`,
    });
  return findings;
}

/** A warning as `scanflow check` and the log show it: `path: message`, on one line. */
export const formatWarning = ({ path, message }: ConfigWarning): string => `${path}: ${message}`;

/** Where a configuration is read. */
export interface Surroundings {
  /** In a container, whose ports `compose.yaml` publishes. */
  readonly inContainer?: boolean;
}

/**
 * What is allowed in a configuration and still deserves a look. `scanflow check`, doctor and each start of a service show
 * it: before the first `;` what is so, behind it what to do.
 */
export function configWarnings(config: Config, { inContainer = false }: Surroundings = {}): ConfigWarning[] {
  return [
    ...slowPatterns(config),
    ...unruledLabels(config),
    ...walkInCalendar(config),
    ...ownHook(config),
    ...nestedRoots(config.storage),
    ...(inContainer ? unpublished(config) : []),
  ];
}

/** The ports that the compose files publish of the containers, and the setting for another port on the host. */
const PUBLISHED = {
  worklist: { port: 11112, setting: 'SCANFLOW_WORKLIST_PORT', who: 'scanner', file: 'compose.yaml' },
  receiver: { port: 4242, setting: 'SCANFLOW_DICOM_PORT', who: 'scanner', file: 'compose.yaml' },
  commitments: {
    port: 11113,
    setting: 'SCANFLOW_COMMITMENTS_PORT',
    who: 'PACS',
    file: 'compose.commitment.yaml',
  },
  dashboard: { port: 8080, setting: 'SCANFLOW_BOARD_PORT', who: 'browser', file: 'compose.yaml' },
} as const;

/** What listens where nobody outside its container reaches it. */
function unpublished({ worklist, receiver, commitments, dashboard, http }: Config): ConfigWarning[] {
  const binds = { worklist: worklist.bind, receiver: receiver.bind ?? worklist.bind };
  const sections = [
    ['worklist', worklist, binds.worklist],
    ['receiver', receiver, binds.receiver],
    ['commitments', commitments, commitments?.bind],
    ['dashboard', dashboard, dashboard.bind ?? http.bind],
  ] as const;
  return sections.flatMap(([name, section, bind]) => {
    if (section === undefined) return [];
    const { port, setting, who, file } = PUBLISHED[name];
    const moved = {
      path: `${name}.port`,
      message: `${file} publishes port ${port} of the container, not ${section.port}: no ${who} gets through; leave this key out, and set ${setting}=${section.port} in .env (or publish ${section.port} in compose.override.yaml)`,
    };
    const hidden = {
      path: `${name}.bind`,
      message: `${bind} is the container alone: no ${who} gets through; write 0.0.0.0, and choose the addresses of this machine in .env`,
    };
    return [
      ...(section.port === port ? [] : [moved]),
      ...(/^(?:127\.|::1$|localhost$)/.test(bind ?? '') ? [hidden] : []),
    ];
  });
}

const slowPatterns = (config: Config): ConfigWarning[] =>
  patternsIn(config).flatMap(([path, { advice }]) =>
    advice === undefined ? [] : [{ path, message: advice }],
  );

/** Every pattern of a configuration, with the dotted path to it, such as `bookings.patterns.0`. */
export function patternsIn({
  bookings,
  calendars,
  arrivals,
  dashboard,
}: Config): (readonly [path: string, Pattern])[] {
  const listed = (path: string, patterns: readonly Pattern[] = []): (readonly [string, Pattern])[] =>
    patterns.map((pattern, index) => [`${path}.${index}`, pattern] as const);
  const { project, subject, session } = bookings.labels ?? {};
  const labels = Object.entries({ project, subject, session }).flatMap(([name, pattern]) =>
    pattern === undefined ? [] : [[`bookings.labels.${name}`, pattern] as const],
  );
  return [
    ...listed('bookings.patterns', bookings.patterns),
    ...labels,
    ...Object.entries(calendars).flatMap(([name, own]) => listed(`calendars.${name}.patterns`, own.patterns)),
    ...Object.entries(arrivals.patterns).map(
      ([keyword, pattern]) => [`arrivals.patterns.${keyword}`, pattern] as const,
    ),
    ...(dashboard.oidc?.projectPattern === undefined
      ? []
      : [['dashboard.oidc.projectPattern', dashboard.oidc.projectPattern] as const]),
  ];
}

const unruledLabels = ({ bookings, calendars }: Config): ConfigWarning[] =>
  bookings.labels !== undefined || Object.keys(calendars).length === 0
    ? []
    : [
        {
          path: 'bookings',
          message:
            'anybody who books may name any project, also one that only looks like another; write labels, as the sample scanflow.yaml does',
        },
      ];

/** Facilities may have had such a calendar before there were walk-ins. */
const walkInCalendar = ({ calendars }: Config): ConfigWarning[] =>
  Object.keys(calendars)
    .filter((name) => (calendars[name]?.id ?? name) === WALK_IN)
    .map((name) => ({
      path: `calendars.${name}`,
      message:
        'this name is kept for walk-ins of the day board, and none can be added while a calendar has it. Walk-ins of before stay; name the calendar otherwise once none of its bookings is to come, since they get new accession numbers then',
    }));

/** Facilities may have had such a hook before there was `bids`. */
const ownHook = ({ hooks, bids }: Config): ConfigWarning[] =>
  bids === undefined && Object.hasOwn(hooks, BIDS)
    ? [
        {
          path: `hooks.${BIDS}`,
          message:
            'this name is kept for the conversion to BIDS. Your hook goes on working; give it another name before you add the section bids',
        },
      ]
    : [];

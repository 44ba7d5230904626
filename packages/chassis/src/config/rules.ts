/** What no single value of the configuration shows: rules between them. Pure. */
import type { Config } from './schema.ts';

export interface Finding {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const LABELS = ['project', 'subject', 'session'];

/** Sections whose own values are good; rules that need a section that is not are left out. */
export type GoodSections = { readonly [Section in keyof Config]?: Config[Section] | undefined };

/** Every broken rule between values that are good one by one. */
export function brokenRules({
  calendars,
  scanners,
  orthanc,
  bookings,
  storage,
  arrivals,
}: GoodSections): Finding[] {
  return [
    ...(calendars === undefined ? [] : calendarRules(calendars, scanners)),
    ...(scanners === undefined ? [] : scannerRules(scanners)),
    ...(orthanc === undefined ? [] : loginRules(['orthanc'], orthanc)),
    ...(bookings === undefined ? [] : templateRules(bookings)),
    ...(storage === undefined ? [] : storageRules(storage)),
    ...(arrivals === undefined || storage === undefined ? [] : labelRules(arrivals, storage)),
  ];
}

function calendarRules(calendars: Config['calendars'], scanners: Config['scanners'] | undefined): Finding[] {
  return Object.entries(calendars).flatMap(([name, calendar]) => {
    const path = ['calendars', name];
    const findings: Finding[] = loginRules(path, calendar);
    if ((calendar.url === undefined) === (calendar.file === undefined))
      findings.push({ path, message: 'expected exactly one of url and file' });
    if (scanners !== undefined && !Object.hasOwn(scanners, calendar.scanner))
      findings.push({
        path: [...path, 'scanner'],
        message: `there is no scanner ${calendar.scanner} under scanners (there: ${Object.keys(scanners).join(', ')})`,
      });
    return findings;
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

function loginRules(
  path: readonly string[],
  { username, passwordFile }: { username?: string | undefined; passwordFile?: string | undefined },
): Finding[] {
  if ((username === undefined) === (passwordFile === undefined)) return [];
  return [
    {
      path,
      message: username === undefined ? 'passwordFile needs a username' : 'username needs a passwordFile',
    },
  ];
}

function templateRules(bookings: Config['bookings']): Finding[] {
  return (['patientId', 'patientName'] as const).flatMap((key) =>
    placeholders(bookings[key])
      .filter((name) => !LABELS.includes(name))
      .map((name) => ({
        path: ['bookings', key],
        message: `{${name}} is no label; there are {project}, {subject}, {session}`,
      })),
  );
}

const storageRules = ({ layout, unmatched }: Config['storage']): Finding[] => [
  ...layoutRules(['storage', 'layout'], layout),
  ...(unmatched === 'quarantine' ? [] : layoutRules(['storage', 'unmatched'], unmatched)),
];

/** Layouts stay below the root and have only placeholders that can be filled. */
function layoutRules(path: readonly string[], layout: string): Finding[] {
  const findings: Finding[] = [];
  if (layout.startsWith('/'))
    findings.push({ path, message: 'the layout is relative to storage.root: no slash at its start' });
  if (
    layout
      .replace(/^\//, '')
      .split('/')
      .some((part) => part === '..' || part === '.' || part === '')
  )
    findings.push({ path, message: 'no part of the layout may be empty, . or ..' });
  const wrong = layout.replaceAll(/\{[A-Za-z][A-Za-z0-9]*(?::\d{1,2})?\}/g, '').match(/[{}][^/]*/)?.[0];
  if (wrong !== undefined)
    findings.push({
      path,
      message: `cannot read the braces at ${wrong}; expected {subject} or {SeriesNumber:3}`,
    });
  if (!layout.includes('{SOPInstanceUID}'))
    findings.push({
      path,
      message: 'the layout needs {SOPInstanceUID}: without it two images could have the same name',
    });
  return findings;
}

/** The patterns over attributes must together give all three labels. */
function labelRules(arrivals: Config['arrivals'], storage: Config['storage']): Finding[] {
  const patterns = Object.values(arrivals.patterns).map(({ source }) => source);
  const missing = LABELS.filter(
    (label) =>
      storage.layout.includes(`{${label}}`) && !patterns.some((source) => source.includes(`(?<${label}>`)),
  );
  if (patterns.length === 0 || missing.length === 0) return [];
  return [
    {
      path: ['arrivals', 'patterns'],
      message: `no pattern has the named group ${missing.map((name) => `(?<${name}>…)`).join(', ')}`,
    },
  ];
}

const placeholders = (template: string): string[] =>
  [...template.matchAll(/\{(?<name>[^}]*)\}/g)].map(({ groups }) => groups?.['name'] ?? '');

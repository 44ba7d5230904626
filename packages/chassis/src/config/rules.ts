/** What no single value of the configuration shows: rules between them. Pure. */
import type { Config } from './schema.ts';

export interface Finding {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const LABELS = ['project', 'subject', 'session'];

/** Every broken rule of a configuration whose values are good one by one. */
export function brokenRules(config: Config): Finding[] {
  return [
    ...calendarRules(config),
    ...scannerRules(config),
    ...loginRules(['orthanc'], config.orthanc),
    ...templateRules(config),
    ...layoutRules(['storage', 'layout'], config.storage.layout),
    ...(config.storage.unmatched === 'quarantine'
      ? []
      : layoutRules(['storage', 'unmatched'], config.storage.unmatched)),
    ...labelRules(config),
  ];
}

function calendarRules({ calendars, scanners }: Config): Finding[] {
  return Object.entries(calendars).flatMap(([name, calendar]) => {
    const path = ['calendars', name];
    const findings: Finding[] = loginRules(path, calendar);
    if ((calendar.url === undefined) === (calendar.file === undefined))
      findings.push({ path, message: 'expected exactly one of url and file' });
    if (!Object.hasOwn(scanners, calendar.scanner))
      findings.push({
        path: [...path, 'scanner'],
        message: `there is no scanner ${calendar.scanner} under scanners (there: ${Object.keys(scanners).join(', ')})`,
      });
    return findings;
  });
}

function scannerRules({ scanners }: Config): Finding[] {
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

function templateRules({ bookings }: Config): Finding[] {
  return (['patientId', 'patientName'] as const).flatMap((key) =>
    placeholders(bookings[key])
      .filter((name) => !LABELS.includes(name))
      .map((name) => ({
        path: ['bookings', key],
        message: `{${name}} is no label; there are {project}, {subject}, {session}`,
      })),
  );
}

/** Layouts stay below the root and have only placeholders that can be filled. */
function layoutRules(path: readonly string[], layout: string): Finding[] {
  const findings: Finding[] = [];
  if (layout.startsWith('/'))
    findings.push({ path, message: 'the layout is relative to storage.root: no slash at its start' });
  if (layout.split('/').some((part) => part === '..' || part === '.' || part === ''))
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
function labelRules({ arrivals, storage }: Config): Finding[] {
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

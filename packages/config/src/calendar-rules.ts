/** Rules between the keys of a calendar. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

type Calendar = Config['calendars'][string];

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
  if ((tls?.key === undefined) !== (tls?.certificate === undefined))
    findings.push({
      path: [...path, 'tls'],
      message: tls?.key === undefined ? 'certificate needs a key' : 'key needs a certificate',
    });
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

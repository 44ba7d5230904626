/** Rules between the keys of a destination. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

type Destination = Config['destinations'][string];

export const destinationRules = (destinations: Config['destinations']): Finding[] =>
  Object.entries(destinations).flatMap(([name, destination]) => {
    const path = ['destinations', name];
    return [...reachRules(path, destination), ...tlsRules([...path, 'tls'], destination)];
  });

const OF_DICOM = ['port', 'aet', 'callingAet', 'associations', 'transcode'] as const;
const OF_WEB = ['username', 'passwordFile', 'tokenFile'] as const;

function reachRules(path: readonly string[], destination: Destination): Finding[] {
  const { host, url } = destination;
  if ((host === undefined) === (url === undefined))
    return [{ path, message: 'expected exactly one of host (DICOM, with port and aet) and url (DICOMweb)' }];
  const foreign = (url === undefined ? OF_WEB : OF_DICOM)
    .filter((key) => destination[key] !== undefined)
    .map((key) => ({
      path: [...path, key],
      atKey: true,
      message: url === undefined ? 'is for a url, and there is a host' : 'is for a host, and there is a url',
    }));
  return [
    ...foreign,
    ...(url === undefined ? nodeRules(path, destination) : webRules(path, url, destination)),
  ];
}

const nodeRules = (path: readonly string[], destination: Destination): Finding[] =>
  (['port', 'aet'] as const)
    .filter((key) => destination[key] === undefined)
    .map((key) => ({ path: [...path, key], message: 'is missing and must be given, as there is a host' }));

function webRules(path: readonly string[], url: string, destination: Destination): Finding[] {
  const { username, passwordFile, tokenFile, tls } = destination;
  const { username: user, password, search, hash, protocol } = new URL(url);
  const findings: Finding[] = [];
  const add = (key: string, message: string): void => void findings.push({ path: [...path, key], message });
  if (user !== '' || password !== '')
    add('url', 'secrets never stand here: use username and passwordFile, or tokenFile');
  if (search !== '' || hash !== '') add('url', 'expected an address without ? and #');
  if (tls !== undefined && protocol !== 'https:') add('tls', 'is for an address that begins with https:');
  if ((username === undefined) !== (passwordFile === undefined))
    findings.push({
      path,
      message: username === undefined ? 'passwordFile needs a username' : 'username needs a passwordFile',
    });
  if (tokenFile !== undefined && username !== undefined)
    add('tokenFile', 'takes the place of username and passwordFile: leave one of the two out');
  return findings;
}

const tlsRules = (path: readonly string[], { tls }: Destination): Finding[] =>
  (tls?.key === undefined) === (tls?.certificate === undefined)
    ? []
    : [{ path, message: tls?.key === undefined ? 'certificate needs a key' : 'key needs a certificate' }];

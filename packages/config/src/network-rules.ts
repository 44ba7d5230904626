/** Rules between the keys about TLS and access. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';
import { admits, sendersOf } from './senders.ts';

/** Rules for whoever listens; a section that is itself mistaken is left out. */
export const networkRules = ({
  worklist,
  receiver,
  arrivals,
  scanners,
}: {
  [Key in 'worklist' | 'receiver' | 'arrivals' | 'scanners']: Config[Key] | undefined;
}): Finding[] => [
  ...(worklist === undefined ? [] : worklistRules(worklist, scanners)),
  ...(receiver === undefined ? [] : receiverRules(receiver, arrivals?.from, scanners)),
];

function worklistRules(
  { tls, access, allow }: Config['worklist'],
  scanners: Config['scanners'] | undefined,
): Finding[] {
  const findings: Finding[] = [];
  if (tls?.requirePeerCertificate === true && tls.ca === undefined)
    findings.push({
      path: ['worklist', 'tls', 'requirePeerCertificate'],
      message: 'needs ca: without it, no certificate can be verified',
    });
  for (const [aet, { certificates }] of Object.entries(access)) {
    const path = ['worklist', 'access', aet];
    if (certificates !== undefined && tls?.ca === undefined)
      findings.push({
        path: [...path, 'certificates'],
        message: 'needs worklist.tls with ca: without it, nobody shows a certificate',
      });
    if (!isAllowed(aet, allow, scanners))
      findings.push({
        path,
        atKey: true,
        message: `${aet} is not admitted: ${allow === 'scanners' ? 'it is no AE title of scanners' : 'add it to worklist.allow'}`,
      });
  }
  return findings;
}

/** `receiver`: certificates need an authority, and who has to prove something is one whose images are taken. */
function receiverRules(
  { tls, access }: Config['receiver'],
  from: Config['arrivals']['from'],
  scanners: Config['scanners'] | undefined,
): Finding[] {
  const findings: Finding[] = [];
  if (tls?.requirePeerCertificate === true && tls.ca === undefined)
    findings.push({
      path: ['receiver', 'tls', 'requirePeerCertificate'],
      message: 'needs ca: without it, no certificate can be verified',
    });
  for (const [aet, { certificates }] of Object.entries(access)) {
    const path = ['receiver', 'access', aet];
    if (certificates !== undefined && tls?.ca === undefined)
      findings.push({
        path: [...path, 'certificates'],
        message: 'needs receiver.tls with ca: without it, nobody shows a certificate',
      });
    if (scanners !== undefined && !admits(from, sendersOf(scanners), aet))
      findings.push({
        path,
        atKey: true,
        message: `images of ${aet} are not taken: add it to scanners.NAME.sends or arrivals.from`,
      });
  }
  return findings;
}

function isAllowed(
  aet: string,
  allow: Config['worklist']['allow'],
  scanners: Config['scanners'] | undefined,
): boolean {
  if (allow === 'any' || (allow === 'scanners' && scanners === undefined)) return true;
  return allow === 'scanners'
    ? Object.values(scanners ?? {}).some((scanner) => scanner.aet === aet)
    : allow.includes(aet);
}

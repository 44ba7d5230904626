/** Rules between the keys about TLS and access. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

export function worklistRules(
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

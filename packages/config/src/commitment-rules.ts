/** Rules between the keys about storage commitment. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

/** `listens`: whether there is a section `commitments`; undefined where it is not known. */
export function commitmentRules(
  destinations: Config['destinations'],
  listens: boolean | undefined,
): Finding[] {
  return Object.entries(destinations).flatMap(([name, { commitment, url }]) => {
    if (commitment === undefined) return [];
    const path = ['destinations', name, 'commitment'];
    const missing = (['host', 'port', 'aet'] as const)
      .filter((key) => url !== undefined && commitment[key] === undefined)
      .map((key) => ({
        path: [...path, key],
        message: 'is missing and must be given, as there is a url: Scanflow requests commitment by DICOM',
      }));
    if (commitment.answers === 'same' || listens !== false) return missing;
    return [
      ...missing,
      {
        path: [...path, 'answers'],
        message: 'needs the section commitments, which says where later reports are received',
      },
    ];
  });
}

export const commitmentsRules = ({ tls }: NonNullable<Config['commitments']>): Finding[] =>
  tls?.requirePeerCertificate === true && tls.ca === undefined
    ? [
        {
          path: ['commitments', 'tls', 'requirePeerCertificate'],
          message: 'needs ca: without it, no certificate can be verified',
        },
      ]
    : [];

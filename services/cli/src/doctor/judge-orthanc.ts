/** What Orthanc says of its settings, against what loses images or opens doors. Pure. */
import { failed, warning, type Finding } from './finding.ts';

type System = Readonly<Record<string, unknown>>;

/** The oldest that this was tried with. */
const OLDEST = [1, 10, 1] as const;

export interface Seen {
  /** It answers without a password. */
  readonly open: boolean;
}

/** Nothing where all is well. What an old version does not tell is not judged. */
export function judgeOrthanc(system: System, { open }: Seen): Finding[] {
  const { Version: version } = system;
  if (typeof version !== 'string')
    return [
      failed(
        'what answers is no Orthanc',
        'Check orthanc.url; a proxy or another program may answer there.',
        'ORTHANC_UNCLEAR',
      ),
    ];
  return [
    ...recycling(system),
    ...(system['ReadOnly'] === true
      ? [failed('it is read-only: scanners cannot send to it', 'Set ReadOnly to false in its configuration.')]
      : []),
    ...(system['OverwriteInstances'] === true
      ? [
          warning(
            'an image that is sent again takes the place of the first, also with other bytes (OverwriteInstances): of two corrections between two looks, the first is lost',
            'Set OverwriteInstances to false, and have scanners send to the receiver, which keeps each of them.',
          ),
        ]
      : []),
    ...(isOld(version)
      ? [
          warning(
            `version ${version} is older than ${OLDEST.join('.')}, the oldest that was tried`,
            'Update it.',
          ),
        ]
      : []),
    ...(system['DatabaseServerIdentifier'] === undefined
      ? [
          warning(
            `version ${version} has no identifier of its database: one that was emptied and filled anew shows late`,
            'Update it to 1.11.1 or later.',
          ),
        ]
      : []),
    ...(open
      ? [
          warning(
            'it answers without a password: who reaches it can read and delete images',
            'Set AuthenticationEnabled and RegisteredUsers, and orthanc.username and orthanc.passwordFile.',
          ),
        ]
      : []),
  ];
}

function recycling(system: System): Finding[] {
  const limits = ['MaximumStorageSize', 'MaximumPatientCount'].filter((key) => Number(system[key] ?? 0) > 0);
  if (limits.length === 0) return [];
  const set = limits.map((key) => `${key} ${String(system[key])}`).join(', ');
  if (system['MaximumStorageMode'] === 'Reject')
    return [
      warning(
        `beyond ${set} it refuses images; scanners show it and keep them`,
        'Free space there in time (cleanup.after), or raise the limit.',
      ),
    ];
  return [
    failed(
      `it deletes its oldest images by itself (${set}), also those that are not stored yet`,
      'Set both limits to 0, or MaximumStorageMode to Reject.',
      'ORTHANC_RECYCLES',
    ),
  ];
}

function isOld(version: string): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  // `mainline` and the like are no numbers, and newer than any
  if (parts.some(Number.isNaN)) return false;
  for (const [index, least] of OLDEST.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

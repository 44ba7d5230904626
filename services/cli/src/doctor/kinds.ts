/** What scanners of a modality make, to ask a node whether it takes that. Pure. */
import { sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { ok, warning, type Finding } from './finding.ts';

export interface Kind {
  readonly sopClassUid: string;
  readonly transferSyntax: string;
}

const NAMES: Readonly<Record<string, string>> = {
  [sopClasses.mrImageStorage]: 'MR images',
  [sopClasses.enhancedMrImageStorage]: 'enhanced MR images',
  [sopClasses.ctImageStorage]: 'CT images',
  [sopClasses.enhancedCtImageStorage]: 'enhanced CT images',
  [sopClasses.petImageStorage]: 'PET images',
  [sopClasses.usImageStorage]: 'ultrasound images',
  [sopClasses.secondaryCapture]: 'secondary captures',
  [sopClasses.rawDataStorage]: 'raw data',
};

const BY_MODALITY: Readonly<Record<string, readonly string[]>> = {
  MR: [sopClasses.mrImageStorage, sopClasses.enhancedMrImageStorage],
  CT: [sopClasses.ctImageStorage, sopClasses.enhancedCtImageStorage],
  PT: [sopClasses.petImageStorage],
  US: [sopClasses.usImageStorage],
};
const OTHERS = [sopClasses.secondaryCapture, sopClasses.rawDataStorage];
/** PS3.5 10.1: every storage SCP takes the first; scanners mostly send in the second. */
const SYNTAXES = [transferSyntaxes.implicitVRLittleEndian, transferSyntaxes.explicitVRLittleEndian];

/** SOP classes and transfer syntaxes that scanners of these modalities send. */
export function kindsOf(modalities: Iterable<string>): Kind[] {
  const classes = new Set([...modalities].flatMap((modality) => BY_MODALITY[modality] ?? OTHERS));
  return [...classes].flatMap((sopClassUid) =>
    SYNTAXES.map((transferSyntax) => ({ sopClassUid, transferSyntax })),
  );
}

/** What a node takes of what was proposed. */
export function judgeKinds(proposed: readonly Kind[], accepted: readonly Kind[], prefix: string): Finding {
  const taken = new Set(accepted.map(keyOf));
  const classes = [...new Set(proposed.map(({ sopClassUid }) => sopClassUid))];
  const none = classes.filter(
    (uid) => !SYNTAXES.some((syntax) => taken.has(keyOf({ sopClassUid: uid, transferSyntax: syntax }))),
  );
  const half = classes.filter(
    (uid) =>
      !none.includes(uid) &&
      !taken.has(keyOf({ sopClassUid: uid, transferSyntax: transferSyntaxes.explicitVRLittleEndian })),
  );
  if (none.length > 0)
    return warning(
      `${prefix}, but takes no ${namesOf(none)}: they would fail there`,
      'Have these SOP classes accepted there, or leave them out with when.modality.',
      'NOT_NEGOTIATED',
    );
  if (half.length > 0)
    return warning(
      `${prefix}, but takes ${namesOf(half)} in Implicit VR Little Endian only`,
      'Have Explicit VR Little Endian accepted there: most scanners send in it.',
      'NOT_NEGOTIATED',
    );
  return ok(`${prefix}, and takes ${namesOf(classes)}`);
}

const keyOf = ({ sopClassUid, transferSyntax }: Kind): string => `${sopClassUid} ${transferSyntax}`;
const namesOf = (classes: readonly string[]): string => classes.map((uid) => NAMES[uid] ?? uid).join(', ');

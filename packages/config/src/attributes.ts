/** DICOM attributes that the configuration names: they must exist, and have a value that is text. Pure. */
import { nearest } from './suggest.ts';

/** Keywords of DICOM attributes with their VR. The caller gives them: this package does not know the dictionary. */
export type KnownAttributes = ReadonlyMap<string, string>;

/** Why an attribute cannot stand there; undefined where it can, or where nobody knows. */
export function attributeProblem(keyword: string, known: KnownAttributes | undefined): string | undefined {
  if (known === undefined) return undefined;
  const vr = known.get(keyword);
  if (vr === undefined) {
    const close = nearest(keyword, [...known.keys()]);
    return `there is no DICOM attribute ${keyword}${close === undefined ? '' : `; did you mean ${close}?`}`;
  }
  return NO_TEXT.has(vr) ? `${keyword} is no text and no number (${vr})` : undefined;
}

const NO_TEXT: ReadonlySet<string> = new Set(['SQ', 'OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN', 'AT']);

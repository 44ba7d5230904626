/** The identities that published bookings keep although this version reads their events differently. Decided once per update. */

/** Raise it with each change that reads an unchanged event differently. 0.1.0 counts as 1. */
export const READING = 2;

/** Accession number and Study Instance UID of a booking published before the update. */
export interface Keep {
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  /** Whether an exam may have begun. Images carry the labels that the scanner showed, so the record keeps them. */
  readonly begun: boolean;
}

/** By the accession number that this version derives. It holds no labels, because people may have them erased. */
export type Keeps = ReadonlyMap<string, Keep>;

export const encodeKeeps = (keeps: Keeps): string =>
  `${JSON.stringify({ version: 1, reading: READING, keeps: Object.fromEntries(keeps) }, null, 2)}\n`;

/** Undefined if there is no decision for this version. */
export function parseKeeps(text: string): Keeps | undefined {
  try {
    const { version, reading, keeps } = JSON.parse(text) as Record<string, unknown>;
    if (version !== 1 || reading !== READING || typeof keeps !== 'object' || keeps === null) return undefined;
    return new Map(Object.entries(keeps).filter((entry): entry is [string, Keep] => isKeep(entry[1])));
  } catch {
    return undefined;
  }
}

function isKeep(value: unknown): value is Keep {
  const { accessionNumber, studyInstanceUid, begun } = (value ?? {}) as Partial<Record<keyof Keep, unknown>>;
  return [typeof accessionNumber, typeof studyInstanceUid, typeof begun].join() === 'string,string,boolean';
}

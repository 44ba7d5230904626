/** Which series go to a destination: its rule and what is known of a series, and one answer. */
import type { Attributes } from './series.ts';

/** Each key names several; one of them is enough. */
interface Conditions {
  readonly modality?: readonly string[] | undefined;
  /** AE titles with which the images were sent to Orthanc. */
  readonly aet?: readonly string[] | undefined;
  /** Labels, `*` stands for anything. */
  readonly project?: readonly string[] | undefined;
  /** Series Description, `*` stands for anything, in any case. */
  readonly description?: readonly string[] | undefined;
  /** Study Description, likewise. */
  readonly studyDescription?: readonly string[] | undefined;
}

/** All keys have to hold, and none of `not` may. */
export interface Rule extends Conditions {
  readonly not?: Conditions | undefined;
}

/** What of a series the rules look at. */
export interface Traits {
  readonly modality: string;
  /** Empty where nobody called Orthanc, or it did not note who. */
  readonly aet: string;
  /** Undefined where nobody knows it. */
  readonly project: string | undefined;
  readonly description: string;
  readonly studyDescription: string;
}

type Key = keyof Conditions;
const KEYS = ['modality', 'aet', 'project', 'description', 'studyDescription'] as const satisfies Key[];

/** `because`: the first key that stands in the way, as it is written in the configuration. */
export type Verdict =
  | { readonly wanted: true }
  | { readonly wanted: false; readonly because: Key | `not.${Key}`; readonly undecided: boolean };

/**
 * Whether a series goes there. A rule about projects cannot be decided for a series without one: then it does not go,
 * neither by `project` nor by `not.project`, since it may be of the very project that is left out.
 */
export function judge(rule: Rule | undefined, traits: Traits): Verdict {
  const { not = {}, ...when } = rule ?? {};
  for (const key of KEYS) {
    if (when[key] === undefined) continue;
    const hit = hits(key, when[key], traits);
    if (hit !== true) return { wanted: false, because: key, undecided: hit === undefined };
  }
  for (const key of KEYS) {
    if (not[key] === undefined) continue;
    const hit = hits(key, not[key], traits);
    if (hit !== false) return { wanted: false, because: `not.${key}`, undecided: hit === undefined };
  }
  return { wanted: true };
}

/** Undefined if nobody knows. */
function hits(key: Key, values: readonly string[], traits: Traits): boolean | undefined {
  const value = traits[key]?.trim();
  switch (key) {
    case 'modality':
    case 'aet':
      return value !== undefined && values.includes(value);
    case 'project':
      return value === undefined ? undefined : values.some((glob) => fits(glob, value));
    case 'description':
    case 'studyDescription':
      // consoles differ in capitals more often than anybody means it
      return values.some((glob) => fits(glob.toLowerCase(), (value ?? '').toLowerCase()));
  }
}

/** Whether a rule looks at the AE title, so that it has to be known before the rule is judged. */
export const looksAtAet = (rule: Rule | undefined): boolean =>
  rule?.aet !== undefined || rule?.not?.aet !== undefined;

/** Keyword under which the ledger keeps who sent a series to Orthanc (PS3.10 table 7.1-1). */
export const SENT_BY = 'SendingApplicationEntityTitle';

export const traitsOf = (
  attributes: Attributes,
  labels: { readonly project: string } | undefined,
): Traits => ({
  modality: attributes['Modality'] ?? '',
  aet: attributes[SENT_BY] ?? '',
  project: labels?.project,
  description: attributes['SeriesDescription'] ?? '',
  studyDescription: attributes['StudyDescription'] ?? '',
});

/** What of `series.json` the rules look at. */
interface Recorded {
  readonly attributes: Attributes;
  readonly labels?: { readonly project: string };
  readonly provenance?: { readonly increments: readonly { readonly from?: string }[] };
}

/** Who sent it to Orthanc is noted with its first images. */
export const traitsOfRecord = ({ attributes, labels, provenance }: Recorded): Traits => ({
  ...traitsOf(attributes, labels),
  aet: provenance?.increments[0]?.from ?? '',
});

/** Whether the whole text fits. Piece by piece rather than by a regular expression, which could take for ever. */
export function fits(glob: string, text: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return glob === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** Project, subject and session out of what a booker wrote. */
import type { Labels } from '@scanflow/booking';

export type LabelName = keyof Labels;
export type PartialLabels = Partial<Record<LabelName, string>>;

/** Where two sources, or two lines, name one label differently. */
export interface Contradiction {
  readonly label: LabelName;
  readonly values: readonly [string, string];
}

export type FoundLabels =
  | { readonly ok: true; readonly labels: PartialLabels }
  | { readonly ok: false; readonly contradiction: Contradiction };

export const LABELS: readonly LabelName[] = ['project', 'subject', 'session'];

/** Longest text that patterns are tried on: a title is a line, and patterns may be slow on pages. */
const LONGEST = 2000;

/** Labels from `Project:`, `Subject:` and `Session:` lines, else from the first pattern that matches the title. */
export function findLabels(summary: string, description: string, patterns: readonly RegExp[]): FoundLabels {
  const lines = fromLines(description);
  if (!lines.ok) return lines;
  return merge(lines.labels, fromTitle(cleanText(summary), patterns));
}

/** Labels from lines like `Subject: sub-001`, in plain text or in the HTML that some calendars make of it. */
export function fromLines(description: string): FoundLabels {
  let labels: PartialLabels = {};
  for (const line of cleanText(plainText(description)).split('\n')) {
    const match = /^\s*[*•-]?\s*(project|subject|session)\s*[:=]\s*(.*\S)\s*$/iu.exec(line.slice(0, LONGEST));
    if (match === null) continue;
    const merged = merge(labels, { [String(match[1]).toLowerCase()]: match[2] });
    if (!merged.ok) return merged;
    labels = merged.labels;
  }
  return { ok: true, labels };
}

function fromTitle(title: string, patterns: readonly RegExp[]): PartialLabels {
  for (const pattern of patterns) {
    const match = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, '')).exec(
      title.slice(0, LONGEST),
    );
    if (match !== null) return pick(match.groups ?? {});
  }
  return {};
}

/** The first source counts; the second one fills in what is missing and must not say otherwise. */
function merge(first: PartialLabels, second: PartialLabels): FoundLabels {
  const label = LABELS.find(
    (name) => first[name] !== undefined && second[name] !== undefined && first[name] !== second[name],
  );
  if (label === undefined) return { ok: true, labels: { ...second, ...first } };
  return { ok: false, contradiction: { label, values: [first[label] ?? '', second[label] ?? ''] } };
}

function pick(groups: Readonly<Record<string, string | undefined>>): PartialLabels {
  const labels: PartialLabels = {};
  for (const name of LABELS) {
    const value = groups[name]?.trim();
    if (value !== undefined && value !== '') labels[name] = value;
  }
  return labels;
}

/** Undoes what word processors and web mail do to typed text: special spaces and dashes, invisible characters. */
export function cleanText(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/gu, ' ')
    .replaceAll(/[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/gu, '-')
    .replaceAll(/[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]/gu, '')
    .replaceAll(/\r\n?/gu, '\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  nbsp: ' ',
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  apos: "'",
};

/** HTML as plain text; plain text stays as it is. */
function plainText(text: string): string {
  if (!/<\/?[a-z][^>]*>/iu.test(text)) return text;
  return text
    .replaceAll(/<(?:br|\/p|\/div|\/li|\/tr|\/h\d)\b[^>]*>/giu, '\n')
    .replaceAll(/<[^>]*>/gu, '')
    .replaceAll(
      /&(nbsp|amp|lt|gt|quot|#39|apos);/giu,
      (whole, name: string) => ENTITIES[name.toLowerCase()] ?? whole,
    );
}

/** Changes as a person reads them. */
import { plain } from '../terminal.ts';
import type { Change, Side } from './compare.ts';

const SIGNS: Readonly<Record<Change['change'], string>> = {
  same: '=',
  changed: '~',
  'new numbers': '!',
  appears: '+',
  disappears: '−',
  stays: '·',
};

export interface TableOptions {
  readonly zone: string;
  /** Shows those that stay as they are, too. */
  readonly all: boolean;
}

/** A line for each booking, and below it old and new. */
export function changesText(changes: readonly Change[], { zone, all }: TableOptions): string {
  const shown = changes.filter(({ change }) => all || change !== 'same');
  const lines = shown.flatMap((one) => linesOf(one, zone));
  return [...lines, ...(lines.length === 0 ? [] : ['']), countOf(changes), ''].join('\n');
}

function linesOf(one: Change, zone: string): string[] {
  const { calendar, change, before, after, code, reason } = one;
  const side = before ?? after;
  const head = `${SIGNS[change]} ${change.padEnd(11)}  ${timeOf(side?.start, zone)}  ${plain(calendar)}  ${labelsOf(side)}`;
  const numbers =
    before !== undefined && after !== undefined && before.accessionNumber !== after.accessionNumber
      ? [
          `    accession  ${before.accessionNumber} → ${after.accessionNumber}`,
          `    study      ${before.studyInstanceUid} → ${after.studyInstanceUid}`,
        ]
      : [
          `    accession  ${side?.accessionNumber ?? ''}${before !== undefined && after !== undefined ? ' (kept)' : ''}`,
        ];
  const fields = one.differs.map((name) => {
    const value = (of: Side | undefined): string => shownField(of, name, zone);
    return `    ${name.padEnd(9)}  ${value(before)} → ${value(after)}`;
  });
  const why = code === 'BOOKING' ? [] : [`    ${code}: ${plain(reason)}`];
  return [head, ...numbers, ...fields, ...why];
}

const labelsOf = (side: Side | undefined): string =>
  plain([side?.project, side?.subject, side?.session].join('  '));

function shownField(side: Side | undefined, name: string, zone: string): string {
  const value = side?.[name as keyof Side] ?? '';
  return name === 'start' || name === 'end' ? timeOf(value, zone) : plain(value);
}

const timeOf = (instant = '', zone: string): string =>
  instant === ''
    ? ''
    : Temporal.Instant.from(instant)
        .toZonedDateTimeISO(zone)
        .toPlainDateTime()
        .toString({ smallestUnit: 'minute' })
        .replace('T', ' ');

function countOf(changes: readonly Change[]): string {
  const count = (kind: Change['change']): number => changes.filter(({ change }) => change === kind).length;
  const kinds = Object.keys(SIGNS) as Change['change'][];
  return `${changes.length} bookings: ${kinds.map((kind) => `${count(kind)} ${kind}`).join(', ')}`;
}

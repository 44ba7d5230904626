/** What was found in Orthanc's storage and what was done about it, counted, and as text or JSON. Pure. */
import { plain, textTable } from '../terminal.ts';

/** `young`: it was just written, and is no image that Orthanc does not know. `spare`: Orthanc has its bytes in another file. */
export type Kind =
  | 'forgotten'
  | 'different'
  | 'erased'
  | 'missing'
  | 'incomplete'
  | 'unreadable'
  | 'spare'
  | 'header'
  | 'compressed'
  | 'other'
  | 'young';

export interface Finding {
  /** Below the storage folder. */
  readonly file: string;
  readonly bytes: number;
  /** UTC; absent for a file that is gone. */
  readonly written?: string;
  readonly kind: Kind;
  /** Orthanc's identifier of the image that it knows, or knows now. */
  readonly instance?: string;
  readonly imported?: boolean;
  readonly removed?: boolean;
  /** What is wrong with it, or why it was not imported or removed. */
  readonly why?: string;
}

/** Findings that are kept; others are counted only. */
const MOST_KEPT = 1_000;
const MOST_SHOWN = 40;

export interface Searched {
  readonly folder: string;
  /** Files in the storage. */
  readonly files: number;
  /** Those that the index lists as images. */
  readonly listed: number;
}

/** Counts findings, and keeps the first ones. */
export class Tally {
  readonly searched: Searched;
  readonly kept: Finding[] = [];
  readonly counts = new Map<Kind, number>();
  imported = 0;
  removed = 0;
  /** Files that need a person, or another run. */
  open = 0;

  constructor(searched: Searched) {
    this.searched = searched;
  }

  add(finding: Finding): void {
    const { kind, imported = false, removed = false } = finding;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    if (imported) this.imported += 1;
    if (removed) this.removed += 1;
    const isOpen = needsSomebody(finding);
    if (isOpen) this.open += 1;
    if (this.kept.length < MOST_KEPT && kind !== 'young') this.kept.push(finding);
  }
}

const SERIOUS: ReadonlySet<Kind> = new Set([
  'forgotten',
  'different',
  'erased',
  'missing',
  'incomplete',
  'unreadable',
]);

const needsSomebody = ({ kind, imported = false, removed = false }: Finding): boolean =>
  SERIOUS.has(kind) && !imported && !removed;

/** What each kind is, and what to do. */
const MEANING: readonly (readonly [Kind, string])[] = [
  ['forgotten', 'images that Orthanc does not know. Give them back: --import'],
  [
    'different',
    'images that Orthanc has with other bytes. Compare the two; scanflow send FILE to the receiver keeps both as versions',
  ],
  ['erased', 'images that were erased on request. They stay out; delete the files: --remove-erased'],
  [
    'missing',
    'images that Orthanc knows and whose files are gone. Have them sent again: the receiver then keeps them',
  ],
  [
    'incomplete',
    'files that were cut, such as by a kill. The sender got no Success for them, unless a disk is damaged',
  ],
  ['unreadable', 'files that could not be read. Check the user and the disk'],
  ['spare', 'files whose bytes Orthanc has in another file. They do no harm; delete them: --remove'],
  ['header', 'images without their pixels, which Orthanc made for itself'],
  ['compressed', 'files that Orthanc compressed (StorageCompression), which this command does not read'],
  ['other', 'files that are no DICOM images, such as attachments'],
  ['young', 'files that were just written, so nothing was done about them: --age'],
];

/** Whether nothing is left for a person. */
export const isGood = ({ open }: Tally): boolean => open === 0;

/** The report, as text or JSON. */
export function reportOf(tally: Tally, json: boolean): string {
  const { searched, kept, counts, imported, removed } = tally;
  const { folder, files, listed } = searched;
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (json) {
    const more = total - (counts.get('young') ?? 0) - kept.length;
    const all = {
      folder,
      files,
      listed,
      counts: Object.fromEntries(counts),
      imported,
      removed,
      findings: kept,
      more,
    };
    return `${JSON.stringify(all, null, 2)}\n`;
  }
  const rows = kept.filter(({ kind }) => kind !== 'spare').slice(0, MOST_SHOWN);
  const table =
    rows.length === 0
      ? ''
      : `${textTable([['FILE', 'KIND', 'BYTES', 'WRITTEN', ''], ...rows.map(rowOf)], [2])}\n`;
  const left = new Map(counts).set('forgotten', (counts.get('forgotten') ?? 0) - imported);
  const lines = MEANING.map(([kind, meaning]) => ({ kind, meaning, count: left.get(kind) ?? 0 }))
    .filter(({ count }) => count > 0)
    .map(({ kind, meaning, count }) => `${count} ${kind}: ${meaning}\n`);
  const done = [
    ...(imported > 0 ? [`${imported} imported: Orthanc has them again, byte for byte\n`] : []),
    ...(removed > 0 ? [`${removed} removed\n`] : []),
  ];
  return `${table}${plain(folder)} has ${files} files; Orthanc lists ${listed} of them as images.\n${lines.join('')}${done.join('')}${
    total === 0 ? 'Nothing is forgotten.\n' : ''
  }`;
}

const rowOf = ({ file, kind, bytes, written = '', imported, removed, why, instance }: Finding): string[] => [
  file,
  kind,
  String(bytes),
  written,
  [
    ...(imported === true ? ['imported'] : []),
    ...(removed === true ? ['removed'] : []),
    ...(why === undefined ? [] : [why]),
    ...((kind === 'different' || kind === 'missing') && instance !== undefined
      ? [`Orthanc's instance ${instance}`]
      : []),
  ].join(', '),
];

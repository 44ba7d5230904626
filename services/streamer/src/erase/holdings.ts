/** What was found of a subject so far, and its name in the moves of other series. */
import { defined } from '@scanflow/failure/defined';
import type { BidsRemoved } from '@scanflow/bids/answer';
import type { Labels } from '@scanflow/booking';
import type { Decision, Moved } from '../model/decision.ts';
import { labelsText } from '../hooks/bids-units.ts';
import { membersIn } from '../joining/parts.ts';
import type { Member } from '../joining/rule.ts';
import type { SeriesRecord } from '../store/types.ts';
import type { ErasableSeries } from './sql.ts';
import type { Found, Intent } from './intent.ts';

export type Subject = Pick<Intent, 'project' | 'subject' | 'session'>;

export interface Holdings {
  readonly series: readonly Found[];
  /** UIDs of images and bookings. */
  readonly accessions: readonly string[];
  readonly studies: readonly string[];
  readonly seriesUids: readonly string[];
  readonly instances: readonly string[];
  /** Counts by place. */
  readonly counts: Readonly<Record<string, number>>;
  /** Number of images that each destination holds or may hold. */
  readonly destinations: Readonly<Record<string, number>>;
  readonly hooks: readonly string[];
  /** Files that people wrote into the BIDS dataset: absolute paths. They stay. */
  readonly kept: readonly string[];
  /** For series that now belong to another subject: folders that their moves kept, and the records of those moves. */
  readonly others: Others;
  /** Series with a recorded decision that has to go. */
  readonly decisions: readonly string[];
}

interface Others {
  readonly folders: readonly { readonly id: string; readonly path: string }[];
  readonly records: readonly { readonly id: string; readonly path: string }[];
  readonly rows: readonly ErasableSeries[];
}

interface Gathering {
  readonly parts: Set<string>;
  readonly paths: Set<string>;
  readonly copies: Set<string>;
  readonly former: Map<string, Labels>;
  session: string | undefined;
}

const gathering = (
  session: string | undefined,
  ...[parts, paths, copies]: readonly (readonly string[])[]
): Gathering => ({
  session,
  parts: new Set(parts),
  paths: new Set(paths),
  copies: new Set(copies),
  former: new Map(),
});

export class Gathered {
  readonly #series = new Map<string, Gathering>();
  readonly accessions = new Set<string>();
  readonly studies = new Set<string>();
  readonly #uids = new Set<string>();
  readonly #instances = new Set<string>();
  readonly #counts: Record<string, number> = {};
  readonly #destinations: Record<string, number> = {};
  readonly #hooks = new Set<string>();
  readonly #anothers = new Set<string>();
  readonly #underway = new Set<string>();
  readonly #decisions = new Set<string>();
  readonly #kept: string[] = [];
  readonly #folders: { id: string; path: string }[] = [];
  readonly #records: { id: string; path: string }[] = [];
  readonly #rows: ErasableSeries[] = [];

  constructor(known: readonly Found[]) {
    for (const { id, parts, session, paths, copies, former } of known) {
      this.#series.set(id, gathering(session, parts, paths, copies));
      this.#movedFrom(id, former);
    }
  }

  has(id: string): boolean {
    return this.#series.has(id);
  }

  ids(): readonly string[] {
    return [...this.#series.keys()];
  }

  partsOf(id: string): readonly string[] {
    return [...this.#of(id).parts];
  }

  /** As the ledger or series.json says. */
  joined(id: string, members: readonly Pick<Member, 'series' | 'study' | 'uid'>[]): void {
    for (const { series, study, uid } of members) {
      if (series !== id) this.#of(id).parts.add(series);
      this.#study({ StudyInstanceUID: study, SeriesInstanceUID: uid });
    }
  }

  count(what: string, number: number): void {
    if (number > 0) this.#counts[what] = (this.#counts[what] ?? 0) + number;
  }

  inLedger({ id, attributes, path, copyPath, session, legs, hooks, moved }: ErasableSeries): void {
    const one = this.#of(id);
    this.#movedFrom(
      id,
      (moved ?? []).flatMap(({ from }) => from.labels ?? []),
    );
    one.session = session ?? one.session;
    if (path !== undefined) one.paths.add(path);
    if (copyPath !== undefined) one.copies.add(copyPath);
    this.count('series in the ledger', 1);
    this.#study(attributes);
    for (const { target, done, through, total } of legs)
      if (through > 0 && !/^(?:storage$|copy$|commitment:)/.test(target))
        this.#destinations[target] = (this.#destinations[target] ?? 0) + Math.max(done, total);
    for (const hook of hooks) this.#hooks.add(hook);
  }

  /** A series in the ledger that belongs to another subject. */
  another(one: ErasableSeries, wanted: Subject, kept: Decision | undefined): void {
    this.#anothers.add(one.id);
    if (kept !== undefined && isOf(wanted, kept.labels)) this.kept(one.id);
    const named = (one.moved ?? []).some((moved) => names(wanted, moved));
    if (isOf(wanted, one.moving?.was.labels)) {
      // its move still needs the old folder; afterwards there is something to remove
      this.#underway.add(one.id);
      this.count('moves to another subject under way', 1);
    } else if (named) {
      this.#rows.push(one);
      this.count('moves on record of other series', 1);
    }
  }

  isAnothers(id: string): boolean {
    return this.#anothers.has(id);
  }

  /** By a decision that only project storage has. */
  decided(id: string): void {
    this.#of(id);
  }

  kept(id: string): void {
    this.#decisions.add(id);
    this.count('decisions', 1);
  }

  leftBehind(below: string, { orthancSeries: id, instances }: SeriesRecord): void {
    if (this.#underway.has(id)) return;
    this.#folders.push({ id, path: below });
    this.count('images in project storage', instances.length);
    this.count('folders that moves left', 1);
  }

  converted({ dataset, files, kept }: BidsRemoved): void {
    this.count('files in the BIDS dataset', files);
    this.#kept.push(...kept.map((path) => `${dataset}/${path}`));
  }

  recordNaming(below: string, { orthancSeries: id }: SeriesRecord): void {
    if (this.#underway.has(id)) return;
    this.#records.push({ id, path: below });
    this.count('records of moves', 1);
  }

  stored(below: string, record: SeriesRecord): void {
    if (record.instances.length === 0) this.count('folders without images', 1);
    this.#of(record.orthancSeries).paths.add(below);
    this.#record(record);
    this.count('images in project storage', record.instances.length);
  }

  copied(below: string, record: SeriesRecord): void {
    this.#of(record.orthancSeries).copies.add(below);
    this.#record(record);
    this.count('images in the copy', record.instances.length);
  }

  booked(accession: string, study: string): void {
    this.accessions.add(accession);
    this.studies.add(study);
    this.count('bookings', 1);
  }

  instance(uid: string | undefined): void {
    if (uid !== undefined && uid !== '') this.#instances.add(uid);
  }

  series(): readonly Found[] {
    return [...this.#series].map(([id, { parts, session, paths, copies, former }]) => ({
      id,
      parts: [...parts],
      ...defined({ session }),
      paths: [...paths],
      copies: [...copies],
      former: [...former.values()],
    }));
  }

  result(): Holdings {
    return {
      series: this.series(),
      accessions: [...this.accessions],
      studies: [...this.studies],
      seriesUids: [...this.#uids],
      instances: [...this.#instances],
      counts: this.#counts,
      destinations: this.#destinations,
      hooks: [...this.#hooks],
      kept: this.#kept,
      others: { folders: this.#folders, records: this.#records, rows: this.#rows },
      decisions: [...this.#decisions],
    };
  }

  #movedFrom(id: string, labels: readonly Labels[]): void {
    for (const one of labels) this.#of(id).former.set(labelsText(one), one);
  }

  #of(id: string): Gathering {
    const known = this.#series.get(id);
    if (known !== undefined) return known;
    const fresh = gathering(undefined);
    this.#series.set(id, fresh);
    return fresh;
  }

  #record(record: SeriesRecord): void {
    const { orthancSeries, attributes, instances } = record;
    this.#study(attributes);
    this.joined(orthancSeries, membersIn(record));
    for (const { sopInstanceUid } of instances) this.instance(sopInstanceUid);
  }

  #study(attributes: Readonly<Record<string, string | undefined>>): void {
    const study = attributes['StudyInstanceUID'] ?? '';
    const uid = attributes['SeriesInstanceUID'] ?? '';
    if (study !== '') this.studies.add(study);
    if (uid !== '') this.#uids.add(uid);
  }
}

export const isOf = (wanted: Subject, labels: Labels | undefined): boolean =>
  labels?.project === wanted.project &&
  labels.subject === wanted.subject &&
  (wanted.session === undefined || labels.session === wanted.session);

export const names = (wanted: Subject, { from, to }: Moved): boolean =>
  isOf(wanted, from.labels) || isOf(wanted, to.labels);

/** Replaces a path or a reason. */
const ERASED = '(erased)';

export const withoutNames = (wanted: Subject, moved: readonly Moved[]): readonly Moved[] =>
  moved.map((one) =>
    names(wanted, one)
      ? {
          at: one.at,
          by: one.by,
          reason: ERASED,
          from: isOf(wanted, one.from.labels) ? { path: ERASED } : one.from,
          to: isOf(wanted, one.to.labels) ? { path: ERASED } : one.to,
        }
      : one,
  );

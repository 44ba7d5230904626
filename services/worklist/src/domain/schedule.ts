/** The worklist in memory: immutable, ordered by start, indexed by station; replaced as a whole when files change. */
import { items, normalDate, tagOf, text, texts, type DataSet, type Element, type Tag } from '@scanflow/dicom';

/** One scheduled procedure step of one file, ready to be matched. */
export interface Entry {
  /** Name of the file it was read from. */
  readonly file: string;
  /** The worklist item with exactly one Scheduled Procedure Step. */
  readonly item: DataSet;
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly stepId: string;
  /** Scheduled Station AE Titles; more than one for a step that may run on any of them. */
  readonly stations: readonly string[];
  readonly modality: string;
  /** Start as DICOM writes it, `YYYYMMDD` and `HHMMSS…`; empty where the item does not say. */
  readonly startDate: string;
  readonly startTime: string;
  /** The start date as YYYYMMDD whatever way the item writes it; empty where it is none. */
  readonly day: string;
}

/** Entries under each value that they have, in order of start; the values as `indexed` gives them. */
export type Index = ReadonlyMap<string, readonly Entry[]>;

export interface Schedule {
  /** In order of start. */
  readonly entries: readonly Entry[];
  readonly byStation: Index;
  readonly byAccession: Index;
  readonly byStudy: Index;
  readonly byPatient: Index;
  /** Whether no entry has several start dates, so that the order of start is that of all its days. */
  readonly oneDayEach: boolean;
}

const stepSequence = tagOf('ScheduledProcedureStepSequence');

/** How a value stands in an index: what matching takes for equal is equal. */
export const indexed = (value: string): string => value.normalize('NFC');

/**
 * What a file's data set puts on the worklist: an entry per Scheduled Procedure Step, since a response describes
 * exactly one (PS3.4 K.6.1.2.1). Empty where the data set schedules nothing.
 */
export function entriesOf(file: string, dataSet: DataSet): Entry[] {
  const steps = items(dataSet, 'ScheduledProcedureStepSequence');
  return steps.map((step) => entryOf(file, steps.length === 1 ? dataSet : withStep(dataSet, step), step));
}

function entryOf(file: string, item: DataSet, step: DataSet): Entry {
  const startDate = text(step, 'ScheduledProcedureStepStartDate') ?? '';
  const stations = texts(step, 'ScheduledStationAETitle');
  const day = normalDate(startDate) ?? '';
  return {
    file,
    item,
    accessionNumber: text(item, 'AccessionNumber') ?? '',
    studyInstanceUid: text(item, 'StudyInstanceUID') ?? '',
    stepId: text(step, 'ScheduledProcedureStepID') ?? '',
    stations: stations.includes('') ? stations.filter((station) => station !== '') : stations,
    modality: text(step, 'Modality') ?? '',
    startDate,
    startTime: text(step, 'ScheduledProcedureStepStartTime') ?? '',
    // nearly always the same text, which then is in memory once
    day: day === startDate ? startDate : day,
  };
}

const withStep = (dataSet: DataSet, step: DataSet): DataSet =>
  new Map(dataSet).set(stepSequence, { vr: 'SQ', kind: 'sequence', items: [step] });

/** The schedule of all entries, earliest start first. */
export function buildSchedule(entries: Iterable<Entry>): Schedule {
  const sorted = [...entries].sort(byStart);
  return {
    entries: sorted,
    byStation: indexOf(sorted, ({ stations }) => stations),
    byAccession: indexOf(sorted, ({ item }) => texts(item, 'AccessionNumber')),
    byStudy: indexOf(sorted, ({ item }) => texts(item, 'StudyInstanceUID')),
    byPatient: indexOf(sorted, ({ item }) => texts(item, 'PatientID')),
    oneDayEach: sorted.every(({ item }) => startDates(item) < 2),
  };
}

/** A worklist without items. */
export const emptySchedule: Schedule = buildSchedule([]);

function indexOf(sorted: readonly Entry[], valuesOf: (entry: Entry) => readonly string[]): Index {
  const index = new Map<string, Entry[]>();
  for (const entry of sorted) {
    const values = valuesOf(entry).map(indexed);
    for (const value of values.length < 2 ? values : new Set(values)) {
      const list = index.get(value);
      if (list === undefined) index.set(value, [entry]);
      else list.push(entry);
    }
  }
  return index;
}

const startDates = (item: DataSet): number =>
  items(item, 'ScheduledProcedureStepSequence').reduce(
    (count, step) => count + texts(step, 'ScheduledProcedureStepStartDate').length,
    0,
  );

/** What makes two entries the same step; undefined where it lacks an identity and nothing distinguishes it. */
export function stepKey(entry: Entry): string | undefined {
  return entry.studyInstanceUid === '' || entry.stepId === ''
    ? undefined
    : `${entry.studyInstanceUid}\\${entry.stepId}`;
}

/** Order of start; by accession number and file where that is the same. */
export function byStart(a: Entry, b: Entry): number {
  return (
    compare(a.day, b.day) ||
    compare(a.startDate, b.startDate) ||
    compare(a.startTime, b.startTime) ||
    compare(a.accessionNumber, b.accessionNumber) ||
    compare(a.file, b.file)
  );
}

/** By code unit: the same on every machine, whatever its locale. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

// Worklist items in little memory. Nearly all items of a folder have the same attributes, and most of these are empty
// or the same in many items: an item becomes a list of elements under a shared list of tags, equal elements become
// one, and of an element with one text that others do not have only the text is kept. A fifteenth of the memory of
// what was decoded, and nothing has to be decoded for an answer.

/** The tags of a data set, ascending, where each stands, and the VR that a text has at each place. */
interface Shape {
  readonly tags: readonly Tag[];
  readonly vrs: readonly string[];
  readonly places: ReadonlyMap<Tag, number>;
}

/** An element, or the one text of a text element. */
type Kept = Element | string;

/** A data set that shares its shape; its elements stand in the shape's order. */
class Packed implements ReadonlyMap<Tag, Element> {
  readonly #shape: Shape;
  readonly #kept: readonly Kept[];

  constructor(shape: Shape, kept: readonly Kept[]) {
    this.#shape = shape;
    this.#kept = kept;
  }

  get size(): number {
    return this.#kept.length;
  }

  get(tag: Tag): Element | undefined {
    const place = this.#shape.places.get(tag);
    return place === undefined ? undefined : this.#at(place);
  }

  has(tag: Tag): boolean {
    return this.#shape.places.has(tag);
  }

  keys(): MapIterator<Tag> {
    return this.#shape.tags.values();
  }

  values(): MapIterator<Element> {
    return this.#kept.keys().map((place) => this.#at(place));
  }

  entries(): MapIterator<[Tag, Element]> {
    const { tags } = this.#shape;
    return tags.values().map((tag, place): [Tag, Element] => [tag, this.#at(place)]);
  }

  [Symbol.iterator](): MapIterator<[Tag, Element]> {
    return this.entries();
  }

  forEach(visit: (element: Element, tag: Tag, dataSet: ReadonlyMap<Tag, Element>) => void): void {
    for (const [tag, element] of this) visit(element, tag, this);
  }

  #at(place: number): Element {
    const kept = this.#kept[place] ?? NOTHING;
    if (typeof kept !== 'string') return kept;
    return { vr: this.#shape.vrs[place] ?? 'UN', kind: 'text', values: [kept] };
  }
}

const NOTHING: Element = { vr: 'UN', kind: 'binary', bytes: new Uint8Array(0) };

const isAscending = (tags: readonly Tag[]): boolean =>
  tags.every((tag, place) => place === 0 || tag > (tags[place - 1] ?? 0));

/** Packs data sets; those of one packer share. */
export type Packer = (dataSet: DataSet) => DataSet;

/** An attribute with more different values than this hardly repeats any. */
const SHARED_VALUES = 256;
/** More shapes than this, and the folder is no worklist of ours: sharing them would not pay. */
const SHARED_SHAPES = 256;

/** A packer for the files of one reading; what it remembers goes with it. */
export function createPacker(): Packer {
  const shapes = new Map<string, Shape>();
  const shared = new Map<Tag, Map<string, Element>>();

  const shapeOf = (tags: readonly Tag[], dataSet: DataSet): Shape => {
    const name = tags.join();
    const known = shapes.get(name);
    if (known !== undefined) return known;
    const vrs = tags.map((tag) => dataSet.get(tag)?.vr ?? 'UN');
    const shape = { tags, vrs, places: new Map(tags.map((tag, place) => [tag, place])) };
    if (shapes.size < SHARED_SHAPES) shapes.set(name, shape);
    return shape;
  };

  const pack: Packer = (dataSet) => {
    const tags = [...dataSet.keys()];
    if (!isAscending(tags)) tags.sort((one, other) => one - other);
    const shape = shapeOf(tags, dataSet);
    // by map(): the list has the room that it needs, and no more
    const kept = shape.tags.map((tag, place) =>
      share(tag, dataSet.get(tag) ?? NOTHING, shape.vrs[place] ?? 'UN'),
    );
    return new Packed(shape, kept);
  };

  const share = (tag: Tag, element: Element, vr: string): Kept => {
    const value = shareable(element);
    if (value === undefined)
      return element.kind === 'sequence' ? { ...element, items: element.items.map(pack) } : element;
    let values = shared.get(tag);
    if (values === undefined) shared.set(tag, (values = new Map<string, Element>()));
    const known = values.get(value);
    if (known?.vr === element.vr) return known;
    const isNew = known === undefined && values.size < SHARED_VALUES;
    if (isNew) values.set(value, element);
    if (isNew || element.kind !== 'text' || element.vr !== vr || element.values.length !== 1) return element;
    return element.values[0] ?? element;
  };
  return pack;
}

/** The value as a text, equal for equal values of a VR; undefined where it is not to be shared. */
function shareable(element: Element): string | undefined {
  switch (element.kind) {
    case 'text':
      // with their number: no value of a VR that takes several has a backslash, but a long text may
      return `${element.values.length}\\${element.values.join('\\')}`;
    case 'binary':
      return element.bytes.length === 0 ? '' : undefined;
    case 'sequence':
      return element.items.length === 0 ? '' : undefined;
  }
}

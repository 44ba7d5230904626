/**
 * Worklist items in little memory. Nearly all items of a folder have the same attributes, and most of these are empty
 * or the same in many items: an item becomes a list of elements under a shared list of tags, equal elements become
 * one, and of an element with one text that others do not have only the text is kept. A fifteenth of the memory of
 * what was decoded, and nothing has to be decoded for an answer.
 */
import type { DataSet, Element, Tag } from '@scanflow/dicom';

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

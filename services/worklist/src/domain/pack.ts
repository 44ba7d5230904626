/**
 * Worklist items in little memory. Nearly all items of a folder have the same attributes, and most of these are empty
 * or the same in many items: an item becomes a list of elements under a shared list of tags, and equal elements become
 * one. A tenth of the memory of what was decoded, and nothing has to be decoded or built for an answer.
 */
import type { DataSet, Element, Tag } from '@scanflow/dicom';

/** The tags of a data set, ascending, and where each stands. */
interface Shape {
  readonly tags: readonly Tag[];
  readonly places: ReadonlyMap<Tag, number>;
}

/** A data set that shares its shape; its elements stand in the shape's order. */
class Packed implements ReadonlyMap<Tag, Element> {
  readonly #shape: Shape;
  readonly #elements: readonly Element[];

  constructor(shape: Shape, elements: readonly Element[]) {
    this.#shape = shape;
    this.#elements = elements;
  }

  get size(): number {
    return this.#elements.length;
  }

  get(tag: Tag): Element | undefined {
    const place = this.#shape.places.get(tag);
    return place === undefined ? undefined : this.#elements[place];
  }

  has(tag: Tag): boolean {
    return this.#shape.places.has(tag);
  }

  keys(): MapIterator<Tag> {
    return this.#shape.tags.values();
  }

  values(): MapIterator<Element> {
    return this.#elements.values();
  }

  entries(): MapIterator<[Tag, Element]> {
    const { tags } = this.#shape;
    return this.#elements.values().map((element, place): [Tag, Element] => [tags[place] ?? 0, element]);
  }

  [Symbol.iterator](): MapIterator<[Tag, Element]> {
    return this.entries();
  }

  forEach(visit: (element: Element, tag: Tag, dataSet: ReadonlyMap<Tag, Element>) => void): void {
    for (const [tag, element] of this) visit(element, tag, this);
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

  const shapeOf = (tags: readonly Tag[]): Shape => {
    const name = tags.join();
    const known = shapes.get(name);
    if (known !== undefined) return known;
    const shape = { tags, places: new Map(tags.map((tag, place) => [tag, place])) };
    if (shapes.size < SHARED_SHAPES) shapes.set(name, shape);
    return shape;
  };

  const pack: Packer = (dataSet) => {
    const tags = [...dataSet.keys()];
    if (!isAscending(tags)) tags.sort((one, other) => one - other);
    // by map(): the list has the room that it needs, and no more
    const elements = tags.map((tag) => share(tag, dataSet.get(tag) ?? NOTHING));
    return new Packed(shapeOf(tags), elements);
  };

  const share = (tag: Tag, element: Element): Element => {
    const value = shareable(element);
    if (value === undefined)
      return element.kind === 'sequence' ? { ...element, items: element.items.map(pack) } : element;
    let values = shared.get(tag);
    if (values === undefined) shared.set(tag, (values = new Map<string, Element>()));
    const known = values.get(value);
    if (known?.vr === element.vr) return known;
    if (known === undefined && values.size < SHARED_VALUES) values.set(value, element);
    return element;
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

/** How much a query may ask to be compared: what every item is compared with takes time from everybody. Pure. */
import { items, type DataSet, type Tag } from '@scanflow/dicom';

/**
 * Characters of all values of a query, at any depth, without UIDs: a list of these is looked up, not compared. A query with
 * a value for each attribute of an item has some hundreds.
 */
const MOST_CHARACTERS = 8_192;

/** The attribute, at any depth, whose values are more than a query may have in all; undefined where they are not. */
export function oversizedKey(identifier: DataSet): Tag | undefined {
  let left = MOST_CHARACTERS;
  const walk = (keys: DataSet): Tag | undefined => {
    for (const [tag, key] of keys) {
      if (key.kind === 'sequence') {
        const found = items(keys, tag)
          .map(walk)
          .find((inner) => inner !== undefined);
        if (found !== undefined) return found;
      } else if (key.kind === 'text' && key.vr !== 'UI') {
        left -= key.values.reduce((sum, value) => sum + value.length + 1, 0);
        if (left < 0) return tag;
      }
    }
    return undefined;
  };
  return walk(identifier);
}

/** Optional properties, under `exactOptionalPropertyTypes`. */

/** T with its properties that may be undefined made optional instead. */
export type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/**
 * Copies the properties that are not undefined, so that no key has the value undefined: keys with undefined show in
 * comparisons, override defaults, and do not fit optional properties.
 *
 * @example
 * ```ts
 * import { defined } from './defined.ts';
 *
 * ({ id: 1, ...defined({ status: 'sent', comment: undefined }) }); // → { id: 1, status: 'sent' }
 * ```
 */
export function defined<T extends object>(properties: T): Defined<T> {
  const kept: Defined<T> = {};
  for (const key in properties) {
    const value = properties[key];
    if (value !== undefined) kept[key] = value as Exclude<T[typeof key], undefined>;
  }
  return kept;
}

/**
 * What `make` makes of a value; undefined if there is no value. It is for a property of `defined()`, or for several
 * properties that only go together.
 *
 * @example
 * ```ts
 * import { defined, given } from './defined.ts';
 *
 * const [length] = [3, 5];
 * const nobody = [].at(0);
 * defined({ ms: given(length, (seconds) => seconds * 1000) }); // → { ms: 3000 }
 * ({ id: 1, ...given(nobody, (name) => ({ name })) }); // → { id: 1 }
 * ```
 */
export const given = <T, R>(value: T | undefined, make: (value: T) => R): R | undefined =>
  value === undefined ? undefined : make(value);

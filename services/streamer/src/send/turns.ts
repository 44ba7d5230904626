/** In which order what is left is tried again. */

/**
 * What stood in the way last time is at the front: it goes behind the others, one place more with each attempt that
 * got nowhere. So an image at which a destination always breaks off keeps no other from being sent.
 */
export function inTurn<T>(items: readonly T[], attempts: number): readonly T[] {
  const from = items.length === 0 ? 0 : attempts % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

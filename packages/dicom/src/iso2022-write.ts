/** Text with code extensions, written: the sets of one byte a character of ISO 2022 (PS3.5 6.1.2.5). */
import type { ByteWriter } from './byte-writer.ts';
import { characterSet, type Designated, type Extended } from './character-sets.ts';
import { G1_ESCAPES } from './iso2022.ts';

/** The escape sequence that designates `ISO 2022 IR nnn` as G1, by nnn. */
const escapes = new Map(
  Object.entries(G1_ESCAPES).map(([escape, number]) => [number, Buffer.from(`\u001b${escape}`, 'latin1')]),
);

/**
 * The sets that a multi-valued (0008,0005) names, or a single `ISO 2022 IR nnn`; undefined where one of them cannot be
 * written: those of two bytes a character, and ISO 2022 IR 13, which takes ASCII's place.
 */
export function extendedSet(terms: readonly string[]): Extended | undefined {
  const numbers = terms.map((term, index) =>
    term === '' && index === 0 ? '6' : /^ISO 2022 IR (\d+)$/.exec(term)?.[1],
  );
  const designated = numbers.map((number) => (number === undefined ? undefined : designate(number)));
  if (designated.includes(undefined)) return undefined;
  const sets = designated.filter((one) => one !== undefined && one !== 'ASCII');
  const [initial] = designated;
  return { kind: 'extended', initial: initial === 'ASCII' ? undefined : initial, sets };
}

function designate(number: string): Designated | 'ASCII' | undefined {
  if (number === '6') return 'ASCII';
  const escape = escapes.get(number);
  const set = characterSet(`ISO_IR ${number}`);
  return escape === undefined || set?.kind !== 'single' ? undefined : { escape, set };
}

export const inExtended = ({ sets }: Extended, code: number): boolean =>
  sets.some(({ set }) => set.bytes.has(code));

/** Before these, and at the end of a value, the initial set is active again (PS3.5 6.1.2.5.3). */
const DELIMITERS = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x3d, 0x5c, 0x5e]);

/** Writes text that holds only ASCII and characters of the sets; whatever else there is becomes `_`. */
export function writeExtended(writer: ByteWriter, text: string, { initial, sets }: Extended): void {
  let active = initial;
  const bytes: number[] = [];
  const back = (): void => {
    if (initial !== undefined && active !== initial) bytes.push(...initial.escape);
    active = initial;
  };
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) {
      if (DELIMITERS.has(code)) back();
      bytes.push(code);
      continue;
    }
    const needed =
      active?.set.bytes.has(code) === true ? active : sets.find(({ set }) => set.bytes.has(code));
    if (needed !== undefined && needed !== active) bytes.push(...needed.escape);
    active = needed ?? active;
    bytes.push(needed?.set.bytes.get(code) ?? 0x5f);
  }
  back();
  writer.bytes(Uint8Array.from(bytes));
}

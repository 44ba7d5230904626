/** Character sets that a scanner's worklist can be written in: defined terms of (0008,0005), PS3.3 C.12.1.1.2. */
import { z } from 'zod';

/** Without code extensions (PS3.3 tables C.12-2 and C.12-5). */
export const CHARACTER_SETS = [
  ...['ISO_IR 6', 'ISO_IR 100', 'ISO_IR 101', 'ISO_IR 109', 'ISO_IR 110', 'ISO_IR 144', 'ISO_IR 127'],
  ...['ISO_IR 126', 'ISO_IR 138', 'ISO_IR 148', 'ISO_IR 203', 'ISO_IR 13', 'ISO_IR 166', 'ISO_IR 192'],
  ...['GB18030', 'GBK'],
] as const;

/** With code extensions, by number: those of two bytes a character (table C.12-4), and those of one (table C.12-3). */
export const WIDE_SETS = ['87', '159', '149', '58'] as const;
export const NARROW_SETS = [
  ...['6', '100', '101', '109', '110', '144', '127', '126', '138', '148', '203', '13', '166'],
] as const;

const narrow = `ISO 2022 IR (?:${NARROW_SETS.join('|')})`;
const wide = `ISO 2022 IR (?:${WIDE_SETS.join('|')})`;
/** One of two bytes a character has ASCII beside it; several have a backslash between them, and ASCII as an empty first. */
const EXTENDED = String.raw`^(?:${narrow}|${wide}|(?:${narrow})?(?:\\(?:${narrow}|${wide}))+)$`;

const error = ({ input }: { readonly input?: unknown }): string =>
  `expected a character set such as ISO_IR 100, ISO_IR 192, GB18030, 'ISO 2022 IR 87' or 'ISO 2022 IR 13\\ISO 2022 IR 87', got ${JSON.stringify(input)}`;

/** A set that a scanner can be answered in. */
export const characterSet = z.union(
  [
    z.enum(CHARACTER_SETS, { error }),
    z
      .string({ error })
      .regex(new RegExp(EXTENDED), { error })
      .meta({ title: 'sets with code extensions such as `ISO 2022 IR 87`' }),
  ],
  { error },
);

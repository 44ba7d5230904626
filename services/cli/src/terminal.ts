/** What goes to a terminal: our own sequences pass, and what images, calendars, files and peers say steers nothing. */
import { stripVTControlCharacters } from 'node:util';
import { visible } from '@scanflow/runtime/visible';

export interface Output {
  readonly isTTY: boolean;
  write(text: string): boolean;
}

const ESCAPE = '\u001b';
/** Takes away the line of the cursor, which may then be drawn again. */
export const CLEAR_LINE = `${ESCAPE}[2K${ESCAPE}[G`;
/** What follows the escape in what commands write themselves: the above, and colours. */
const OURS = /^\[(?:2K|G|\d{1,2}(?:;\d)?m)/;

/** An output through which nothing else reaches the terminal. Where it is none, not even colours. */
export function outputTo(stream: {
  readonly write: (text: string) => boolean;
  readonly isTTY?: boolean | undefined;
}): Output {
  const isTTY = stream.isTTY === true;
  const shown = (part: string, at: number): string => {
    const ours = at > 0 && isTTY ? OURS.exec(part)?.[0] : undefined;
    if (ours !== undefined) return `${ESCAPE}${ours}${lines(part.slice(ours.length))}`;
    return lines(at > 0 ? `${ESCAPE}${part}` : part);
  };
  return { isTTY, write: (text) => stream.write(text.split(ESCAPE).map(shown).join('')) };
}

/** Line breaks stay. */
const lines = (text: string): string => text.split('\n').map(visible).join('\n');

/** A text of others as a cell or a part of a line: one line, without anything that steers. */
export const plain = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();

/**
 * Names of files and folders out of whatever an image says. Total: any text becomes one harmless name, the same on
 * every file system that project storage may be mounted from.
 */
import { createHash } from 'node:crypto';

/** Longest value and longest name, in bytes of UTF-8. A name keeps room for a `_` and a short hash. */
export const MAX_VALUE_BYTES = 100;
const MAX_NAME_BYTES = 230;
/** What Linux, Windows and SMB take. */
const LONGEST_NAME_BYTES = 255;

/** Names that the streamer itself writes into a series' folder. */
export const MANIFEST_NAME = 'manifest-sha256.txt';
export const RECORD_NAME = 'series.json';
export const ARCHIVE_NAME = 'series.tar';

/**
 * One value, fit to stand in a name: letters, marks, digits and `. _ - + = , @` stay, anything else becomes one `_`;
 * at most MAX_VALUE_BYTES; `none` where nothing is left. A whole number gets leading zeros up to `width` and
 * keeps all of its digits.
 */
export function safeValue(value: string | undefined, width = 0): string {
  const trimmed = (value ?? '').trim();
  const number = width > 0 ? /^([+-]?)0*(\d+)$/.exec(trimmed) : null;
  if (number !== null && trimmed.length <= MAX_VALUE_BYTES) {
    const [, sign, digits = ''] = number;
    return `${sign === '-' ? '-' : ''}${digits.padStart(width, '0')}`;
  }
  // longer than any attribute: cut first, so that a hostile megabyte costs nothing
  const cleaned = cutBytes(clean(trimmed.slice(0, 1024)), MAX_VALUE_BYTES).replace(/^[_.]+|[_.]+$/g, '');
  return cleaned === '' ? 'none' : cleaned;
}

/**
 * A label: as `safeValue`, but where that is not the label itself, a hash of it follows. `a b` and `a?b` are two people,
 * and never get one folder.
 */
export function safeLabel(label: string | undefined): string {
  const value = (label ?? '').trim().normalize('NFC');
  const safe = safeValue(value);
  return safe === value || value === '' ? safe : `${safe}_${hashOf(value)}`;
}

/**
 * A label as BIDS wants it, `sub-` or `ses-` and letters and digits (BIDS 1.10, "Entities"): `sub-001`, `sub001` and
 * `001` become `sub-001`. Where something else is left out, a hash keeps two labels apart.
 */
export function bidsLabel(prefix: 'sub' | 'ses', label: string | undefined): string {
  const value = (label ?? '').trim();
  // `sub-P1` and `sub1` carry the prefix, `subject1` does not
  const bare = value.replace(new RegExp(String.raw`^${prefix}(?:[-_](?=.)|(?=\d))`, 'i'), '');
  const kept = bare
    .slice(0, 1024)
    .replace(/[^A-Za-z0-9]+/g, '')
    .slice(0, MAX_VALUE_BYTES);
  if (bare === '') return `${prefix}-none`;
  return kept === bare ? `${prefix}-${kept}` : `${prefix}-${kept}x${hashOf(bare)}`;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** Letters of every script stay; what cannot be seen, and what means something to a shell or a file system, does not. */
const UNWANTED = /(?:[^\p{L}\p{M}\p{N}._\-+=,@]|\p{Default_Ignorable_Code_Point})+/gu;

export function clean(text: string): string {
  return text
    .normalize('NFC')
    .replace(UNWANTED, '_')
    .replace(/\.{2,}/g, '.')
    .normalize('NFC');
}

/** Device names of Windows, on which project storage may well be mounted. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])(\.|$)/i;
const RESERVED: ReadonlySet<string> = new Set([MANIFEST_NAME, RECORD_NAME, ARCHIVE_NAME]);

/** A name of parts that are clean: never empty, hidden, an option, reserved, or too long; `extension` survives any cut. */
export function safeName(name: string, extension: string): string {
  const room = MAX_NAME_BYTES - Buffer.byteLength(extension);
  const bare = cutBytes(
    name
      .replace(/\.{2,}/g, '.')
      .normalize('NFC')
      .replace(/^[.\s-]+/, '_'),
    room,
  ).replace(/[.\s]+$/, '');
  const stem = bare === '' ? 'none' : bare;
  const full = `${stem}${extension}`;
  return DEVICE.test(full) || RESERVED.has(full.toLowerCase()) ? `_${full}` : full;
}

/** Cuts at a code point's edge. */
function cutBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let used = 0;
  let kept = '';
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > bytes) break;
    kept += character;
  }
  return kept;
}

const EXTENSION = /\.[A-Za-z0-9]{1,8}$/;

export const extensionOf = (name: string): string => EXTENSION.exec(name)?.[0] ?? '';

/** A name made another by a suffix before its extension: `a.dcm`, `1f2e` → `a_1f2e.dcm`; cut where it gets too long. */
export function withSuffix(name: string, suffix: string): string {
  const extension = extensionOf(name);
  const room = LONGEST_NAME_BYTES - 1 - suffix.length - extension.length;
  return `${cutBytes(name.slice(0, name.length - extension.length), room)}_${suffix}${extension}`;
}

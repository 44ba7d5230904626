/** What is to be sent, whatever it came out of. */
import type { Stats } from 'node:fs';
import type { StoreItem } from '@scanflow/dimse';
import type { SeriesFacts } from './look.ts';

/** A file's content: on disk, in memory, or elsewhere. */
export interface Unpacked {
  readonly path?: string;
  readonly bytes?: Uint8Array;
  readonly open?: NonNullable<StoreItem['open']>;
  /** Called once it is not needed any more. */
  readonly drop?: () => void;
}

export interface Found extends Unpacked {
  /** Names it in this run: the same file has the same one each time it is come across. For people, too. */
  readonly id: string;
  /** What was named on the command line, or the archive in a folder. */
  readonly source: string;
  /** The same for what is reported together: the folder or the archive; of single files, where they lie. */
  readonly group: string;
  /** It came out of an archive. */
  readonly packed?: true;
  /** Of its series, where they are known without reading it. */
  readonly facts?: SeriesFacts;
}

/**
 * Whether a file is wanted, by its id; what is not wanted is not read. `version` is another once the content is, of what is
 * no file of its own: an image in an archive or in Orthanc.
 */
export type Wanted = (id: string, version?: string) => boolean;

/** Another for a file that was changed, replaced or written anew. */
export const versionOf = ({ size, mtimeMs, ctimeMs, ino }: Stats): string =>
  `${size} ${mtimeMs} ${ctimeMs} ${ino}`;

/** A name out of an archive or a folder, for people: nothing in it can steer a terminal. */
export const printable = (name: string): string => name.replaceAll(/[^\P{C}]/gu, '?').slice(-200);

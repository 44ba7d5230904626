/** What is to be sent, whatever it came out of. */
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
  /** What was named on the command line. */
  readonly source: string;
  /** The same for what is reported together: the folder or the archive; of single files, where they lie. */
  readonly group: string;
  /** Of its series, where they are known without reading it. */
  readonly facts?: SeriesFacts;
}

/** Whether a file is wanted, by its id; what is not wanted is not read. */
export type Wanted = (id: string) => boolean;

/** A name out of an archive or a folder, for people: nothing in it can steer a terminal. */
export const printable = (name: string): string => name.replaceAll(/[^\P{C}]/gu, '?').slice(-200);

/** Where the parts of a running Scanflow are, as the demo's scanner needs to know them. */
import type { PrivateTag } from '@scanflow/dicom';
import type { Api } from '../api.ts';
import type { Address } from '../options.ts';

export interface DemoScanner {
  /** Key in the configuration. */
  readonly name: string;
  readonly aet: string;
  readonly modality: string;
}

export interface Stack {
  readonly scanners: readonly DemoScanner[];
  readonly timezone: string;
  readonly worklist: Address;
  /** Where images are sent to. */
  readonly receiver: Address;
  /** The streamer's HTTP interface. */
  readonly streamer: Api;
  /** Project storage as this process sees it. */
  readonly projectRoot: string;
  /** The private tag that the streamer adds. */
  readonly tag: PrivateTag;
  /** Folder in which the research PACS keeps what it received, as this process sees it. */
  readonly pacsFolder: string;
}

export interface Day {
  /** How many sessions each scanner plays at most. */
  readonly sessions: number;
  /** Images per series. */
  readonly images: number;
}

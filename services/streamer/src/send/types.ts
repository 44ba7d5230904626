/** How images get to a destination, whatever it speaks. */
import type { StoreGate, StoreItem, StoreOutcome } from '@scanflow/dimse';
import type { Opening } from '../work/pace.ts';
import type { Destination } from '../model/settings.ts';
import type { StoredInstance } from '../store/types.ts';
import type { Pace } from '../work/wake.ts';

/** A SOP class in a transfer syntax. */
export interface Kind {
  readonly sopClassUid: string;
  readonly transferSyntax: string;
}

type OfImage = 'orthancId' | 'fileUuid' | 'sopClassUid' | 'sopInstanceUid';

/** The image in Orthanc that a stored one was. */
export interface OriginalImage extends Pick<StoredInstance, OfImage> {
  /** Puts in the tag, which Orthanc's does not carry. */
  readonly look?: NonNullable<StoreItem['look']>;
}

/** One image to be sent. */
export interface SendItem extends StoreItem {
  readonly original?: OriginalImage | undefined;
}

/** What became of one image. */
export type SendOutcome = StoreOutcome & {
  /** Milliseconds that the destination wants to be left alone for. */
  readonly askedMs?: number;
  /** It went in this transfer syntax, not as the bytes that are stored. */
  readonly transcoded?: string;
};

export interface SendOptions {
  readonly signal: AbortSignal;
  /** The last attempt broke off: use nothing that a node need not support. */
  readonly calmly: boolean;
  /** Holds sending back, for a rate or for hours in which nothing is sent. */
  readonly gate?: StoreGate | undefined;
}

/** Made once per destination. */
export interface Carrier {
  /** One outcome for each item, whatever happens; never throws for what the destination or a file does. */
  readonly send: (items: AsyncIterable<SendItem>, options: SendOptions) => AsyncIterable<SendOutcome>;
  /** Lets go of connections that are kept. */
  readonly close: () => void;
}

export interface Pacing {
  readonly pace: Pace | undefined;
  readonly hours: ((now: number) => Opening) | undefined;
}

/** A destination, what carries images there, and what holds them back. */
export interface OpenDestination extends Destination, Pacing {
  readonly carrier: Carrier;
}

/** How images get to a destination, whatever it speaks. */
import type { Dial, Peer, StoreGate, StoreItem, StoreOutcome } from '@scanflow/dimse';

/** Where a destination is, and what it speaks. */
export type Reach = CStoreReach | StowReach;

export interface CStoreReach {
  readonly kind: 'c-store';
  readonly peer: Peer;
  /** Associations side by side; 1 unless told. */
  readonly associations?: number;
  /** What it does not take as it is goes as a copy that Orthanc transcodes, without loss. */
  readonly transcode?: boolean;
}

export interface StowReach {
  readonly kind: 'stow';
  /** Of the DICOMweb service; `/studies` is put behind it. */
  readonly url: string;
  /** Default: plain TCP. */
  readonly dial?: Dial;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  /** Of a bearer token (RFC 6750). */
  readonly tokenFile?: string | undefined;
}

/** A SOP class in a transfer syntax. */
export interface Kind {
  readonly sopClassUid: string;
  readonly transferSyntax: string;
}

/** The image in Orthanc that a stored one was. */
export interface OriginalImage {
  readonly orthancId: string;
  readonly fileUuid: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
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
  /** A copy went, in this transfer syntax, not the bytes that are stored. */
  readonly transcoded?: string;
};

export interface SendOptions {
  readonly signal: AbortSignal;
  /** The last attempt broke off: nothing is asked of it that it need not be able to do. */
  readonly calmly: boolean;
  /** Holds sending back, for a rate or for hours in which nothing is sent. */
  readonly gate?: StoreGate | undefined;
}

/** Made once per destination. */
export interface Sender {
  /** One outcome for each item, whatever happens; never throws for what the destination or a file does. */
  readonly send: (items: AsyncIterable<SendItem>, options: SendOptions) => AsyncIterable<SendOutcome>;
  /** Lets go of connections that are kept. */
  readonly close: () => void;
}

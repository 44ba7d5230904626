/** Settings of the steps, fixed at the start. */
import type { Peer, Dial } from '@scanflow/dimse';
import type { Home, Layout } from '../store/place/layout.ts';
import type { Window, Rate, RetryPolicy } from '../work/pace.ts';
import type { RouteRules } from '../store/place/route.ts';
import type { Rule } from './rule.ts';
import type { TagRules } from '../store/record.ts';

/** Images that are pulled at a time. */
export interface PullLimits {
  readonly count: number;
  /** Orthanc may hold each file that it serves in memory. A single larger one goes alone. */
  readonly bytes: number;
}

export interface Destination {
  readonly name: string;
  readonly reach: Reach;
  /** Which series go there; undefined: all. */
  readonly when: Rule | undefined;
  readonly rate?: Rate | undefined;
  /** Hours in which the streamer sends to it; undefined: always. */
  readonly schedule?: { readonly windows: readonly Window[]; readonly timeZone: string } | undefined;
  /** Replaces the policy for everything. */
  readonly retry?: RetryPolicy | undefined;
}

/** Storage commitment of a destination. */
interface CommitmentSettings {
  readonly name: string;
  /** The node that takes requests, and reports. */
  readonly peer: Peer;
  readonly withinMs: number;
  /** How long an association is kept open for the report, in milliseconds. */
  readonly lingerMs: number;
  readonly attempts: number;
  readonly batch: number;
}

export interface Settings {
  readonly quietMs: number;
  readonly pollMs: number;
  /** Series that came under several UIDs are joined where their times are no further apart; undefined: none are. */
  readonly join?: { readonly withinMs: number } | undefined;
  /** How images are routed. */
  readonly route: RouteRules;
  readonly tag: TagRules;
  readonly layout: Layout;
  /** Layout of series without a project; undefined: they are quarantined. */
  readonly unmatched: Layout | undefined;
  /** Projects with a root of their own. */
  readonly homes?: readonly Home<Layout>[];
  /** Layout of the copy of everything; undefined: there is none. */
  readonly copy?: Layout | undefined;
  /** Each series also as one file. */
  readonly tar?: boolean;
  readonly destinations: readonly Destination[];
  /** The destinations of which the streamer requests commitment. */
  readonly commitments?: readonly CommitmentSettings[];
  readonly limits: PullLimits;
  readonly retry: RetryPolicy;
  readonly reconcileMs: number;
  readonly recheckMs: number;
}

/** Time and randomness, so that a test can set both. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A random number from 0 to 1. */
  readonly random: () => number;
}

/** Where a destination is, and what it speaks. */
export type Reach = CStoreReach | StowReach;

export interface CStoreReach {
  readonly kind: 'c-store';
  readonly peer: Peer;
  /** Associations at the same time; 1 by default. */
  readonly associations?: number;
  /** An image that it does not take as it is goes as a copy that Orthanc transcodes, without loss. */
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

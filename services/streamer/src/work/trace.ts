/**
 * Moments of the work, published on a diagnostics channel: for tracing, and for tests that end the process at
 * one of them. Nobody listening costs nothing.
 */
import { channel } from 'node:diagnostics_channel';

type Moment =
  | 'changes-read'
  | 'changes-recorded'
  | 'late-changes-recorded'
  | 'series-claimed'
  | 'decision-noted'
  | 'decision-kept'
  | 'folder-claimed'
  | 'image-moved'
  | 'moved-record-written'
  | 'series-moved'
  | 'old-image-removed'
  | 'old-record-removed'
  | 'series-left'
  | 'image-begun'
  | 'image-flushed'
  | 'image-named'
  | 'images-recorded'
  | 'manifest-due'
  | 'manifest-written'
  | 'record-written'
  | 'series-stored'
  | 'response-received'
  | 'responses-recorded'
  | 'series-forwarded'
  | 'series-copied'
  | 'commitment-written'
  | 'commitment-asked'
  | 'commitment-resent'
  | 'series-committed'
  | 'hook-ran'
  | 'notice-sent'
  | 'report-written'
  | 'session-complete'
  | 'series-leaving'
  | 'image-deleted'
  | 'series-recovered'
  | 'ledger-rebuilt'
  | 'erasure-found'
  | 'erasure-marked'
  | 'erasure-forgotten'
  | 'erasure-orthanc'
  | 'erasure-series'
  | 'erasure-removed'
  | 'erasure-done';

const moments = channel('scanflow.streamer');

/** Says that the work has come to this moment. */
export function reached(moment: Moment, detail: Readonly<Record<string, unknown>> = {}): void {
  if (moments.hasSubscribers) moments.publish({ moment, ...detail });
}

/** Who sent a series to Orthanc, and whether images of theirs go to projects. */
import type { Reason } from '../../model/series.ts';

export interface Sender {
  /** AE title; empty where Orthanc noted none. */
  readonly aet: string;
  /** The AE title that was called. */
  readonly called?: string;
  readonly address?: string;
  /** It came through Orthanc's HTTP interface: from somebody who has its password. */
  readonly uploaded?: boolean;
}

export interface SenderRules {
  /** `arrivals.from`: whether images of this AE title go to projects. */
  readonly admits: (aet: string) => boolean;
  /** AE title → name of the scanner. */
  readonly senders: ReadonlyMap<string, string>;
}

/** Why images of this sender are quarantined; undefined where they are not. */
export function unknownSender(sender: Sender | undefined, { admits }: SenderRules): Reason | undefined {
  if (sender === undefined || sender.uploaded === true || admits(sender.aet)) return undefined;
  const { aet, called, address } = sender;
  const whom = aet === '' ? 'a sender without an AE title' : `AE title ${aet}`;
  const details = [
    ...(address === undefined ? [] : [`address ${address}`]),
    ...(called === undefined ? [] : [`calling ${called}`]),
  ].join(', ');
  return {
    code: 'ROUTE_UNKNOWN_SENDER',
    message: `It was sent by ${whom}${details === '' ? '' : ` (${details})`}, which arrivals.from does not name. If that is a scanner of yours, add the AE title to its sends; the series is looked at again after a restart. Else release it, or delete it from Orthanc.`,
  };
}

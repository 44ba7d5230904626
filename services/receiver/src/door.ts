/** Who may send images, by the configuration of this moment, and who came or was refused: for /api/senders and `scanflow doctor`. */
import { admits, sendersOf, type Config } from '@scanflow/config';
import type { AssociationInfo } from '@scanflow/dimse';
import {
  senderList,
  type SenderList,
  callerProofs,
  rejectCalled,
  rejectCalling,
  type Caller,
  type CallerProof,
  type Decision,
} from '@scanflow/dimse/access';
import type { FastifyInstance } from '@scanflow/runtime';

/** The length of each list. */
const REMEMBERED = 200;

export interface Door {
  readonly admit: (association: AssociationInfo) => Decision;
  readonly scannerOf: (callingAet: string) => string | undefined;
  /** Notes that an image came in. */
  readonly imageCame: (callingAet: string) => void;
  /** When the last image of each scanner of the configuration came, a UTC instant, by its name. */
  readonly lastImages: ReadonlyMap<string, string>;
  /** Uses another configuration from the next association on. */
  readonly use: (config: Config) => void;
  readonly admitted: SenderList;
  readonly refused: SenderList;
  /** `arrivals.from`; undefined if it is not configured. */
  readonly from: () => Config['arrivals']['from'];
}

/** Decides about each association, and keeps the latest callers. */
export function openDoor(config: Config): Door {
  const [admitted, refused] = [senderList(REMEMBERED), senderList(REMEMBERED)];
  const lastImages = new Map<string, string>();
  let rules = rulesOf(config);
  return {
    admit: (association) => {
      const decision = rules.decide(association);
      const now = Temporal.Now.instant().toString({ smallestUnit: 'second' });
      if (decision.accept) admitted.add(association, now);
      else refused.add(association, now, decision.why);
      return decision;
    },
    scannerOf: (callingAet) => rules.senders.get(callingAet),
    imageCame: (callingAet) => {
      const scanner = rules.senders.get(callingAet);
      if (scanner !== undefined)
        lastImages.set(scanner, Temporal.Now.instant().toString({ smallestUnit: 'second' }));
    },
    lastImages,
    use: (changed) => (rules = rulesOf(changed)),
    admitted,
    refused,
    from: () => rules.from,
  };
}

function rulesOf({ receiver, arrivals: { from }, scanners }: Config) {
  const senders = sendersOf(scanners);
  const takes = (aet: string): boolean => admits(from, senders, aet);
  return { from, senders, decide: admission({ called: receiver.aets, takes, proofs: receiver.access }) };
}

/** Adds /api/senders. */
export function addRoutes(
  app: FastifyInstance,
  { from, admitted, refused, scannerOf, lastImages }: Door,
): void {
  app.get('/api/senders', () => ({
    /** `arrivals.from`; null if it is not configured, so that everybody is admitted. */
    from: from() ?? null,
    admitted: admitted.all().map((sender) => ({ ...sender, scanner: scannerOf(sender.callingAet) ?? null })),
    refused: refused.all(),
    lastImages: [...lastImages].map(([scanner, at]) => ({ scanner, at })),
    /** Numbers of senders that later ones replaced in these lists. */
    dropped: { admitted: admitted.dropped, refused: refused.dropped },
  }));
}

/** The parts of the configuration that decide. */
export interface AdmissionSettings {
  /** AE titles of the receiver; undefined: any. */
  readonly called: readonly string[] | undefined;
  /** Whether images of a calling AE title are taken. */
  readonly takes: (callingAet: string) => boolean;
  /** By AE title: the addresses or certificates that it has to prove. */
  readonly proofs: Readonly<Record<string, CallerProof>>;
}

/** Decides about associations. AE titles come without padding. Pure. */
export function admission({ called, takes, proofs }: AdmissionSettings): (caller: Caller) => Decision {
  const proven = callerProofs(proofs, 'receiver.access');
  return (caller) => {
    if (called !== undefined && !called.includes(caller.calledAet))
      return rejectCalled(
        `the receiver is ${called.join(', ')}: correct the called AE title, or receiver.aets`,
      );
    if (!takes(caller.callingAet))
      return rejectCalling('add the calling AE title to scanners.NAME.sends or arrivals.from');
    return proven(caller);
  };
}

/** Who may come in, as configured at this moment, and who came or was refused. */
import { admits, sendersOf, type Config } from '@scanflow/config';
import type { Admission, AssociationInfo } from '@scanflow/dimse';
import { admission } from './domain/admission.ts';
import { senderList, type SenderList } from '@scanflow/dimse/access';

/** Senders that are remembered, admitted and refused ones each. */
const REMEMBERED = 200;

export interface Door {
  readonly admit: (association: AssociationInfo) => Admission;
  readonly scannerOf: (callingAet: string) => string | undefined;
  /** Decides by another configuration from the next association on. */
  readonly use: (config: Config) => void;
  readonly admitted: SenderList;
  readonly refused: SenderList;
  /** As configured; undefined: nothing is. */
  readonly from: () => Config['arrivals']['from'];
}

export function openDoor(config: Config): Door {
  const [admitted, refused] = [senderList(REMEMBERED), senderList(REMEMBERED)];
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

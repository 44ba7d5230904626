/** Judges whether a root is the one that the ledger knows, and whether another owner is at work. */
import { type Failure, transient } from '@scanflow/failure';
import type { KnownRoot } from './sql.ts';
import type { Owner, RootIdentity, StoredEvidence } from './identity.ts';

/** Whether the owner of a root is at work: its heartbeat's number grew, or has not grown for long. */
type Life = 'living' | 'silent' | 'watched';

export interface Evidence {
  readonly path: string;
  readonly installation: string;
  readonly own: Owner;
  /** This root as the ledger or the data folder knows it. */
  readonly known: KnownRoot | undefined;
  /** IDs of this installation's other roots. */
  readonly others: ReadonlySet<string>;
  readonly found: RootIdentity | undefined;
  /** The root holds only hidden names and lost+found. */
  readonly empty: boolean;
  readonly stored: StoredEvidence;
  readonly life: Life;
}

export type Verdict =
  | { readonly kind: 'ours'; readonly root: KnownRoot }
  /** The root becomes ours, since nothing contradicts that. It gets an ID if it has none. */
  | { readonly kind: 'adopt'; readonly id: string | undefined; readonly sequence: number }
  | { readonly kind: 'refused'; readonly failure: Failure; readonly mayTake: boolean };

export function judge(evidence: Evidence): Verdict {
  const { path, found, installation, others, known } = evidence;
  if (found === undefined) return judgeNameless(evidence);
  if (found.ledger !== installation) return foreign(evidence, found);
  const { sequence } = found.heartbeat;
  if (others.has(found.root) || (known !== undefined && known.id !== found.root))
    return refused('STORE_ROOT_OTHER', `${path} holds another root of this installation`, path);
  if (known === undefined) return { kind: 'adopt', id: found.root, sequence };
  if (sequence < known.sequence) return refused('STORE_ROOT_OLDER', olderText(evidence, found), path);
  return { kind: 'ours', root: { id: found.root, sequence } };
}

/** Without an identity: new, of a version before 0.2.0, not mounted, or out of an older backup. */
function judgeNameless({ path, known, empty, stored }: Evidence): Verdict {
  // one that was reserved, and never written to, is as good as unknown
  if ((known?.sequence ?? 0) === 0 && !stored.any) return { kind: 'adopt', id: known?.id, sequence: 1 };
  if (empty) return refused('STORE_ROOT_EMPTY', `${path} is empty, although it was in use before`, path);
  if (known === undefined)
    return stored.some
      ? { kind: 'adopt', id: undefined, sequence: 1 }
      : refused('STORE_ROOT_OTHER', `${path} holds none of the series that were stored there last`, path);
  return stored.newest || !stored.any
    ? { kind: 'adopt', id: known.id, sequence: known.sequence }
    : refused(
        'STORE_ROOT_OLDER',
        `${path} has no identity file any more, and lacks the series that was stored there last`,
        path,
      );
}

function foreign({ path, own, life }: Evidence, { owner, heartbeat }: RootIdentity): Verdict {
  const whose = `${path} belongs to another Scanflow, ${nameOf(owner)}`;
  if (life === 'silent')
    return refused('STORE_ROOT_OTHER', `${whose}, which gave its last sign of life at ${heartbeat.at}`, path);
  if (life === 'watched')
    return refused('STORE_ROOT_OTHER', `${whose}; whether that still works is being watched`, path);
  const message = `The root ${whose}, which is at work. This is ${nameOf(own)}. Give one of the two another root, or stop the other one. Nothing is written there.`;
  return { kind: 'refused', failure: transient('STORE_ROOT_IN_USE', message), mayTake: false };
}

const nameOf = ({ name, host }: Owner): string => `${name} on ${host}`;

const olderText = ({ path, known }: Evidence, { heartbeat }: RootIdentity): string =>
  `${path} is older than the ledger: its last heartbeat has number ${heartbeat.sequence} (${heartbeat.at}), the ledger knows number ${known?.sequence ?? 0}`;

type Refusal = 'STORE_ROOT_EMPTY' | 'STORE_ROOT_OLDER' | 'STORE_ROOT_OTHER';

const ADVICE: Readonly<Record<Refusal, string>> = {
  STORE_ROOT_EMPTY: 'Mount project storage. If the empty root is right, as on a new disk',
  STORE_ROOT_OLDER: 'Mount the right one. If this one is right, as after a restore from a backup',
  STORE_ROOT_OTHER: 'Mount the right one. If this one is right',
};

const refused = (code: Refusal, what: string, path: string): Verdict => ({
  kind: 'refused',
  failure: transient(
    code,
    `The root ${what}. Nothing is written there; storing waits. ${ADVICE[code]}: scanflow storage take ${path}`,
  ),
  mayTake: true,
});

interface Seen {
  readonly ledger: string;
  readonly sequence: number;
  /** By this process' monotonic clock. */
  readonly at: number;
  readonly grew: boolean;
}

export class Watch {
  readonly #silentMs: number;
  readonly #seen = new Map<string, Seen>();

  /** @param silentMs an owner counts as gone after so long without a heartbeat */
  constructor(silentMs: number) {
    this.#silentMs = silentMs;
  }

  /** Records the root's file as it is now. */
  look(path: string, { ledger, heartbeat: { sequence } }: RootIdentity, now = performance.now()): Life {
    const before = this.#seen.get(path);
    const same = before?.ledger === ledger ? before : undefined;
    const seen = same?.sequence === sequence ? same : { ledger, sequence, at: now, grew: same !== undefined };
    this.#seen.set(path, seen);
    if (now - seen.at >= this.#silentMs) return 'silent';
    return seen.grew ? 'living' : 'watched';
  }
}

/** Which proposed presentation contexts are accepted, each for itself (PS3.8 9.3.3.2), and as what. Pure. */
import type { AnsweredContext, AssociateRq, ProposedContext, RoleSelection, UserInformation } from './pdu.ts';

export type ServedOperation = 'C-FIND' | 'N-CREATE' | 'N-SET' | 'N-ACTION' | 'N-EVENT-REPORT';

/** An abstract syntax that is served, with its transfer syntaxes in the order of preference. */
export interface ServedContext {
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
  /** Operations that are served on it; default: all that there is a handler for. Others get status 0211. */
  readonly operations?: readonly ServedOperation[];
  /** What we are to the one who calls; default: its SCP. As its SCU we take only those who select the role of the SCP. */
  readonly role?: 'scp' | 'scu';
}

/** An accepted presentation context. */
export interface Context {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
}

/**
 * Our preference decides among the transfer syntaxes; the order in which the peer names them means nothing. `others`
 * tells the transfer syntax of an abstract syntax that is not listed, where it is taken all the same.
 */
export function answerContexts(
  proposed: readonly ProposedContext[],
  served: readonly ServedContext[],
  roles: readonly RoleSelection[] = [],
  others: (context: ProposedContext) => string | undefined = () => undefined,
): AnsweredContext[] {
  const servedAs = new Map(served.map((entry) => [entry.abstractSyntax, entry]));
  const callers = new Set(roles.filter(({ scp }) => scp).map(({ sopClassUid }) => sopClassUid));
  return proposed.map((context): AnsweredContext => {
    const { id, abstractSyntax, transferSyntaxes } = context;
    const ours = servedAs.get(abstractSyntax);
    if (ours === undefined) {
      const transferSyntax = others(context);
      return transferSyntax === undefined
        ? { id, result: 3, transferSyntax: '' }
        : { id, result: 0, transferSyntax };
    }
    // who selects no role is an SCU (PS3.7 D.3.3.4)
    if (ours.role === 'scu' && !callers.has(abstractSyntax)) return { id, result: 1, transferSyntax: '' };
    const agreed = ours.transferSyntaxes.find((uid) => transferSyntaxes.includes(uid));
    return agreed === undefined
      ? { id, result: 4, transferSyntax: '' }
      : { id, result: 0, transferSyntax: agreed };
  });
}

/**
 * The answers to role selections (PS3.7 D.3.3.4.2): only where a role is served that is not the default one. What is not
 * answered leaves the roles as they are by default.
 */
export const answerRoles = (
  roles: readonly RoleSelection[],
  served: readonly ServedContext[],
): RoleSelection[] =>
  roles.flatMap(({ sopClassUid, scp }) => {
    const ours = served.find(({ abstractSyntax }) => abstractSyntax === sopClassUid);
    return ours?.role === 'scu' ? [{ sopClassUid, scu: false, scp }] : [];
  });

export interface Agreement {
  readonly accepted: ReadonlyMap<number, Context>;
  /** Result per refused id: 1 to 4; 2 where the peer did not answer it at all or named a syntax nobody proposed. */
  readonly refused: ReadonlyMap<number, 1 | 2 | 3 | 4>;
}

/** Brings proposal and answer together; used by both roles. Answers to ids that were not proposed do not count. */
export function agreement(
  proposed: AssociateRq['contexts'],
  answered: readonly AnsweredContext[],
): Agreement {
  const answers = new Map(answered.map((answer) => [answer.id, answer]));
  const accepted = new Map<number, Context>();
  const refused = new Map<number, 1 | 2 | 3 | 4>();
  for (const { id, abstractSyntax, transferSyntaxes } of proposed) {
    const answer = answers.get(id);
    const result = answer?.result ?? 2;
    if (result !== 0) refused.set(id, result);
    else if (answer === undefined || !transferSyntaxes.includes(answer.transferSyntax)) refused.set(id, 2);
    else accepted.set(id, { id, abstractSyntax, transferSyntax: answer.transferSyntax });
  }
  return { accepted, refused };
}

const RESULTS = {
  1: 'refused by its user',
  2: 'no reason given',
  3: 'SOP class not supported',
  4: 'transfer syntax not supported',
} as const;

export const describeContextResult = (result: 1 | 2 | 3 | 4): string => RESULTS[result];

/** Implementation classes that grant any number of operations and lose some of them: dcmjs-dimse. */
const GRANT_FALSELY: ReadonlySet<string> = new Set(['1.2.826.0.1.3680043.10.854']);

/**
 * How many operations the requestor may have under way (PS3.7 D.3.3.3): 0 is no limit, a peer that says nothing takes
 * one at a time, and none may grant more than was asked.
 */
export function grantedOperations(asked: UserInformation | undefined, answered: UserInformation): number {
  const most = asked?.asyncOperations?.invoked ?? 1;
  const granted = answered.asyncOperations?.invoked ?? 1;
  if (GRANT_FALSELY.has(answered.implementationClassUid)) return 1;
  return granted === 0 ? most : Math.min(most, granted);
}

/** What this package offers, asks for and limits, from the constants that it works with: for the conformance statement. */
import { commitmentReports, REPORT_STATUS } from './commitment.ts';
import { VERIFICATION } from './scp/admission.ts';
import { STATUS } from './scp/call.ts';
import { PREFERRED } from './scp/store.ts';
import { LIMITS as SCP_LIMITS } from './scp/types.ts';
import { LIMITS as SCU_LIMITS, SYNTAXES, TIMEOUTS } from './scu/associate.ts';
import { ECHO_SYNTAXES } from './scu/echo.ts';
import { MOVE_QUIET_MS } from './scu/move.ts';
import { CONTEXTS } from './scu/store/contexts.ts';
import { OPERATIONS } from './scu/store/store.ts';
import { HANDSHAKE_MS, tlsProfiles } from './tls/settings.ts';

export const facts = {
  /** As acceptor; a service may change limits. */
  scp: { verification: VERIFICATION, storageSyntaxes: PREFERRED, limits: SCP_LIMITS, statuses: STATUS },
  /** As requestor. */
  scu: {
    echoSyntaxes: ECHO_SYNTAXES,
    findSyntaxes: SYNTAXES,
    /** The identifiers of C-MOVE are written in the same. */
    moveSyntaxes: SYNTAXES,
    /** Longest silence in a C-MOVE, in milliseconds. */
    moveQuietMs: MOVE_QUIET_MS,
    /** Presentation contexts of one association: one per SOP class and transfer syntax of the files. */
    storeContexts: CONTEXTS,
    /** C-STORE requests under way at once, as proposed. */
    storeOperations: OPERATIONS,
    limits: SCU_LIMITS,
    timeouts: TIMEOUTS,
  },
  /** Storage commitment: proposed with N-ACTION, served for reports, and how these are answered. */
  commitment: { syntaxes: SYNTAXES, served: commitmentReports, statuses: REPORT_STATUS },
  tls: { profiles: tlsProfiles, handshakeMs: HANDSHAKE_MS },
} as const;

/** What packages/dimse offers, proposes and limits, from the constants that it works with. */
import { commitmentReports, REPORT_STATUS } from '../../packages/dimse/src/commitment.ts';
import { VERIFICATION } from '../../packages/dimse/src/scp/admission.ts';
import { STATUS } from '../../packages/dimse/src/scp/call.ts';
import { PREFERRED } from '../../packages/dimse/src/scp/composite.ts';
import { LIMITS as SCP_LIMITS } from '../../packages/dimse/src/scp/types.ts';
import { LIMITS as SCU_LIMITS, SYNTAXES, TIMEOUTS } from '../../packages/dimse/src/scu/associate.ts';
import { ECHO_SYNTAXES } from '../../packages/dimse/src/scu/response.ts';
import { MOVE_QUIET_MS } from '../../packages/dimse/src/scu/move.ts';
import { CONTEXTS } from '../../packages/dimse/src/scu/store/window.ts';
import { OPERATIONS } from '../../packages/dimse/src/scu/store/store.ts';
import { HANDSHAKE_MS, tlsProfiles } from '../../packages/dimse/src/tls/settings.ts';

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

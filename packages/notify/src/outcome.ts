/** What became of an attempt to tell somebody, and the failures that it may have. */
import { type Failure, ambiguous, permanent, transient } from '@scanflow/failure';

export type SendOutcome =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      /** The channel itself does not work: further notices by it need not be tried now. */
      readonly down: boolean;
      /** The receiver wants a pause of so many milliseconds (Retry-After). */
      readonly askedMs?: number;
    };

/** `where`: the mail server, or a channel's name, never its address: who knows that of a chat may write there. */
export const unreachable = (where: string, why: string): SendOutcome =>
  down(
    transient(
      'NOTICE_UNREACHABLE',
      `${where} cannot be reached (${why}). Check notify and the network; notices wait.`,
    ),
  );

export const untrusted = (where: string, why: string): SendOutcome =>
  down(
    transient(
      'NOTICE_TLS',
      `No trusted connection to ${where} (${why}). Check its certificate, notify.mail.security and notify.mail.tls.ca; notices wait.`,
    ),
  );

export const denied = (where: string): SendOutcome =>
  down(
    transient(
      'NOTICE_DENIED',
      `${where} refuses the login. Correct notify.mail.username and its passwordFile; notices wait.`,
    ),
  );

/** Too busy, or troubled: of this notice alone where the answer came to its recipient. */
export const troubled = (where: string, status: string, askedMs?: number): SendOutcome => ({
  kind: 'failed',
  failure: transient('NOTICE_BUSY', `${where} answered ${status}. The notice is sent again.`),
  down: false,
  ...(askedMs === undefined ? {} : { askedMs }),
});

export const refused = (where: string, status: string): SendOutcome => ({
  kind: 'failed',
  failure: permanent(
    'NOTICE_REFUSED',
    `${where} refuses the notice (${status}). Correct the address under notify.`,
  ),
  down: false,
});

export const unsure = (where: string, why: string): SendOutcome => ({
  kind: 'failed',
  failure: ambiguous(
    'NOTICE_UNSURE',
    `The connection to ${where} ended before its answer (${why}). The notice is sent again, under the same number.`,
  ),
  down: true,
});

export const noSecret = (why: string): SendOutcome =>
  down(transient('NOTICE_SECRET', `A file of notify cannot be read: ${why}. Notices wait.`));

export const NO_CHANNEL: SendOutcome = {
  kind: 'failed',
  failure: permanent('NOTICE_NO_CHANNEL', 'The channel of this notice is no longer in the configuration.'),
  down: false,
};

function down(failure: Failure): SendOutcome {
  return { kind: 'failed', failure, down: true };
}

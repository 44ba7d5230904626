/** What every acceptor of ours has in common: WORKLIST, RECEIVER, and the port for reports of storage commitment. */
import { APPLICATION_CONTEXT } from '@scanflow/dicom';
import type { facts } from './facts.ts';
import { seconds } from './markdown.ts';

type Limits = typeof facts.scp.limits;

/** Rows of the association parameters. */
export const acceptorParameters = (limits: Limits): string[][] => [
  ['Maximum length announced', `${limits.pduBytes} bytes`],
  ['Maximum length of the peer', 'honoured from 7 bytes; 0 is no limit; less is rejected'],
  ['Connections at a time', `${limits.connections}, ${limits.connectionsPerPeer} of them from one address`],
  [
    'Asynchronous operations',
    `none; up to ${limits.waitingRequests} requests of an association wait for their turn`,
  ],
  ['Time for an association request, and for closing afterwards (ARTIM)', seconds(limits.artimMs)],
  ['Time without a request', seconds(limits.idleMs)],
  ['The same, once as many connections are open as allowed', seconds(limits.yieldMs)],
  ['Longest time that our own code may take for an answer', seconds(limits.handlerMs)],
  ['Longest time in which the peer takes nothing', seconds(limits.stallMs)],
  ['Longest association request', `${limits.associateBytes} bytes`],
  ['Longest command set', `${limits.commandBytes} bytes`],
  [
    'Bytes of unfinished or unanswered messages',
    `${limits.heldBytes} in total, ${limits.heldBytesPerPeer} from one address, beyond the first ${limits.freeBytes} of each association; the message that exceeds it ends its association (A-ABORT)`,
  ],
  ['Longest pause within an unfinished message', seconds(limits.stalledMs)],
];

/** Rows of rejections that no configuration changes. */
export const protocolRejections: readonly (readonly string[])[] = [
  [
    '1',
    '1',
    '2 application-context-name-not-supported',
    `another application context than ${APPLICATION_CONTEXT}`,
  ],
  ['1', '2', '1 no-reason-given', 'the maximum length of the peer leaves no room for data'],
  ['1', '2', '2 protocol-version-not-supported', 'bit 0 of the protocol version is not set'],
  ['2', '1', '1 no-reason-given', 'our own decision failed'],
];

export { addressMatcher } from './address.ts';
export { certificateMatcher, type ShownCertificate } from './certificate.ts';
export { callerProofs, rejectCalled, rejectCalling } from './callers.ts';
export type { Caller, CallerProof, Decision } from './callers.ts';
export { senderList, type Sender, type SenderList, type SenderRecord } from './senders.ts';

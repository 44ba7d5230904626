/** The seven protocol data units of the DICOM upper layer (PS3.8 9.3) as values, and what is no PDU. */

export interface ProposedContext {
  /** Odd, 1 to 255 (PS3.8 9.3.2.2). */
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

/** 0 acceptance, 1 user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes not supported (PS3.8 9.3.3.2). */
export type ContextResult = 0 | 1 | 2 | 3 | 4;

export interface AnsweredContext {
  readonly id: number;
  readonly result: ContextResult;
  /** Empty where the result is not 0: it is not significant then. */
  readonly transferSyntax: string;
}

export interface RoleSelection {
  readonly sopClassUid: string;
  readonly scu: boolean;
  readonly scp: boolean;
}

/** Sub-items of the user information item that we read and write (PS3.8 D.1, PS3.7 D.3.3). */
export interface UserInformation {
  /** Longest variable field of a P-DATA-TF PDU that its sender can take; 0 is no limit (PS3.8 D.1.1). */
  readonly maximumLength: number;
  readonly implementationClassUid: string;
  readonly implementationVersionName?: string;
  /** Asynchronous operations window (PS3.7 D.3.3.3). */
  readonly asyncOperations?: { readonly invoked: number; readonly performed: number };
  readonly roles: readonly RoleSelection[];
}

interface Associate<Type extends string, Context> {
  readonly type: Type;
  readonly protocolVersion: number;
  readonly calledAet: string;
  readonly callingAet: string;
  readonly applicationContext: string;
  readonly contexts: readonly Context[];
  readonly user: UserInformation;
}
export type AssociateRq = Associate<'associate-rq', ProposedContext>;
export type AssociateAc = Associate<'associate-ac', AnsweredContext>;

export interface AssociateRj {
  readonly type: 'associate-rj';
  /** 1 permanent, 2 transient. */
  readonly result: number;
  /** 1 service user, 2 provider (ACSE), 3 provider (presentation). */
  readonly source: number;
  readonly reason: number;
}

/** A presentation data value: a fragment of a command or of a data set (PS3.8 9.3.5.1, E.2). */
export interface Pdv {
  readonly contextId: number;
  readonly command: boolean;
  readonly last: boolean;
  readonly data: Uint8Array;
}
interface PData {
  readonly type: 'p-data';
  readonly values: readonly Pdv[];
}
export interface Release {
  readonly type: 'release-rq' | 'release-rp';
}
export interface Abort {
  readonly type: 'abort';
  /** 0 service user, 2 service provider. */
  readonly source: number;
  /** Significant where the source is 2: see ABORT. */
  readonly reason: number;
}
export type Pdu = AssociateRq | AssociateAc | AssociateRj | PData | Release | Abort;

/** Reasons of a provider's A-ABORT (PS3.8 9.3.8). */
export const ABORT = {
  notSpecified: 0,
  unrecognizedPdu: 1,
  unexpectedPdu: 2,
  unrecognizedParameter: 4,
  unexpectedParameter: 5,
  invalidParameter: 6,
} as const;
type AbortReason = (typeof ABORT)[keyof typeof ABORT];

/** Bytes that are no PDU; `reason` is what goes into the A-ABORT that answers them. */
export class PduError extends Error {
  readonly reason: AbortReason;
  /** What they are instead, where that is known. */
  readonly stranger: Stranger | undefined;

  constructor(reason: AbortReason, message: string, stranger?: Stranger) {
    super(message);
    this.name = 'PduError';
    this.reason = reason;
    this.stranger = stranger;
  }
}

/** What speaks on a connection where DICOM was expected. */
export type Stranger = 'HTTP' | 'TLS' | 'SSH' | 'FTP or mail' | 'VNC';

const BY_TEXT: readonly (readonly [RegExp, Stranger])[] = [
  // a server's answer, what some answer to nonsense, and a browser's request
  [/^(HTTP\/|<!?[a-z]|(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PATCH) )/i, 'HTTP'],
  [/^SSH-/, 'SSH'],
  [/^(\d{3}[ -]|\* OK|\+OK)/, 'FTP or mail'],
  [/^RFB \d/, 'VNC'],
];

/** By the first bytes; undefined where it is not known. */
export function strangerIn(bytes: Uint8Array): Stranger | undefined {
  const [type = 0, major = 0] = bytes;
  // alert and handshake records (RFC 8446 5.1)
  if ((type === 0x15 || type === 0x16) && major === 0x03) return 'TLS';
  const text = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  return BY_TEXT.find(([form]) => form.test(text))?.[1];
}

/** For a person who called it. */
export function whatToDo(stranger: Stranger): string {
  switch (stranger) {
    case 'HTTP':
      return 'This is an HTTP port: give the DICOM port of that node (of an Orthanc 4242, where its web page is at 8042).';
    case 'TLS':
      return 'This port speaks TLS: call it with TLS (--tls of a command, tls of a destination).';
    default:
      return `This is a port for ${stranger}: give the DICOM port of that node.`;
  }
}

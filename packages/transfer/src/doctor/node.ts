/** A DICOM node: connection, TLS, association, C-ECHO, and which images it takes. */
import { defined } from '@scanflow/failure/defined';
import type { Config } from '@scanflow/config';
import { sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { accepts, echo, tlsDial, type Dial, type Peer, type Timeouts } from '@scanflow/dimse';
import { failureIn, messageOf, type Failure } from '@scanflow/failure';
import { readTlsFiles } from '@scanflow/runtime';
import { failed, failure, ok, warning, type Finding } from './check.ts';

/** Time-outs that are shorter than the check's time, so that the result names the step that hangs. */
export const timeoutsOf = (timeoutMs: number): Timeouts => {
  const each = Math.max(500, Math.floor(timeoutMs / 3));
  return { connect: each, association: each, response: each, release: Math.min(each, 2_000) };
};

/** TLS of a destination. Throws an Error that names the file, or says what cannot be used. */
export async function dialOf(
  tls: Config['destinations'][string]['tls'],
  handshakeMs: number,
): Promise<{ readonly dial?: Dial }> {
  if (tls === undefined) return {};
  const { profile, serverName, ...files } = tls;
  const texts = await readTlsFiles(files);
  const named = { profile, handshakeMs, ...defined({ serverName }) };
  return { dial: tlsDial({ ...named, credentials: () => texts }) };
}

/** C-ECHO, then a proposal of what the node should take. Never rejects. */
export async function lookAtNode(
  peer: Peer,
  kinds: readonly Kind[],
  signal: AbortSignal,
  commitment = false,
): Promise<Finding[]> {
  const echoed = await echo(peer, signal);
  if (!echoed.ok && echoed.failure.code !== 'NOT_NEGOTIATED') return [explained(echoed.failure, peer)];
  const findings = echoed.ok
    ? []
    : [
        warning(
          `${nameOf(peer)} does not answer C-ECHO`,
          'Turn verification on there: it shows that the node runs.',
        ),
      ];
  try {
    const accepted = await accepts(peer, commitment ? [...kinds, COMMITMENT] : kinds, signal);
    const took = echoed.ok ? `answers C-ECHO in ${Math.round(echoed.ms)} ms` : 'takes associations';
    return [
      ...findings,
      judgeKinds(kinds, accepted, `${nameOf(peer)} ${took}`),
      ...(commitment ? judgeCommitment(accepted, nameOf(peer)) : []),
    ];
  } catch (error) {
    return [
      ...findings,
      explained(failureIn(error) ?? { code: 'INTERNAL', message: messageOf(error) }, peer),
    ];
  }
}

/** A failure of the network, with its most likely cause. Pure. */
export function explained({ code, message }: Pick<Failure, 'code' | 'message'>, peer: Peer): Finding {
  if (code === 'DEST_REJECTED') {
    if (message.includes('calling AE title not recognized'))
      return failed(
        message.replace(/ Check the AE titles.*/, ''),
        `Enter ${peer.callingAet} (callingAet) there as a node that may send, with this machine's address.`,
        code,
      );
    if (message.includes('called AE title not recognized'))
      return failed(
        message.replace(/ Check the AE titles.*/, ''),
        `Correct aet: the node there is not called ${peer.calledAet}.`,
        code,
      );
  }
  if (code === 'DEST_UNREACHABLE' && /ENOTFOUND|EAI_AGAIN/.test(message))
    return failed(
      `Nobody here knows the name ${peer.host}`,
      'Correct host, or the name server of this machine.',
      code,
    );
  if (code === 'DEST_UNREACHABLE' && message.includes('ECONNREFUSED'))
    return failed(
      `Nothing listens at ${peer.host}:${peer.port}`,
      'Start the node there, or correct host and port; a firewall may refuse, too.',
      code,
    );
  if (code === 'DEST_NO_ASSOCIATION')
    return failed(
      message,
      'The program that listens there may be no DICOM node, or may require TLS. Correct port, or tls.',
      code,
    );
  return failure({ code, message });
}

const nameOf = ({ calledAet, host, port }: Peer): string => `${calledAet} at ${host}:${port}`;

interface Kind {
  readonly sopClassUid: string;
  readonly transferSyntax: string;
}

const COMMITMENT: Kind = {
  sopClassUid: sopClasses.storageCommitmentPush,
  transferSyntax: transferSyntaxes.implicitVRLittleEndian,
};

/** Whether a node takes requests for storage commitment (PS3.4 J). Pure. */
export const judgeCommitment = (accepted: readonly Kind[], name: string): Finding[] =>
  accepted.some(({ sopClassUid }) => sopClassUid === COMMITMENT.sopClassUid)
    ? []
    : [
        warning(
          `${name} offers no storage commitment, and the configuration asks it for commitment`,
          'Switch it on there, or take commitment out of this destination. Until then nothing is deleted from Orthanc.',
          'COMMITMENT_NOT_OFFERED',
        ),
      ];

const NAMES: Readonly<Record<string, string>> = {
  [sopClasses.mrImageStorage]: 'MR images',
  [sopClasses.enhancedMrImageStorage]: 'enhanced MR images',
  [sopClasses.ctImageStorage]: 'CT images',
  [sopClasses.enhancedCtImageStorage]: 'enhanced CT images',
  [sopClasses.petImageStorage]: 'PET images',
  [sopClasses.usImageStorage]: 'ultrasound images',
  [sopClasses.secondaryCapture]: 'secondary captures',
  [sopClasses.rawDataStorage]: 'raw data',
};

const BY_MODALITY: Readonly<Record<string, readonly string[]>> = {
  MR: [sopClasses.mrImageStorage, sopClasses.enhancedMrImageStorage],
  CT: [sopClasses.ctImageStorage, sopClasses.enhancedCtImageStorage],
  PT: [sopClasses.petImageStorage],
  US: [sopClasses.usImageStorage],
};
const OTHERS = [sopClasses.secondaryCapture, sopClasses.rawDataStorage];
/** Every storage SCP takes the first (PS3.5 10.1); most scanners send in the second. */
const SYNTAXES = [transferSyntaxes.implicitVRLittleEndian, transferSyntaxes.explicitVRLittleEndian];

/** SOP classes and transfer syntaxes that scanners of these modalities send. */
export function kindsOf(modalities: Iterable<string>): Kind[] {
  const classes = new Set([...modalities].flatMap((modality) => BY_MODALITY[modality] ?? OTHERS));
  return [...classes].flatMap((sopClassUid) =>
    SYNTAXES.map((transferSyntax) => ({ sopClassUid, transferSyntax })),
  );
}

/** Which of the proposed kinds a node takes. Pure. */
export function judgeKinds(proposed: readonly Kind[], accepted: readonly Kind[], prefix: string): Finding {
  const taken = new Set(accepted.map(keyOf));
  const classes = [...new Set(proposed.map(({ sopClassUid }) => sopClassUid))];
  const none = classes.filter(
    (uid) => !SYNTAXES.some((syntax) => taken.has(keyOf({ sopClassUid: uid, transferSyntax: syntax }))),
  );
  const half = classes.filter(
    (uid) =>
      !none.includes(uid) &&
      !taken.has(keyOf({ sopClassUid: uid, transferSyntax: transferSyntaxes.explicitVRLittleEndian })),
  );
  if (none.length > 0)
    return warning(
      `${prefix}, but takes no ${namesOf(none)}: they would fail there`,
      'Accept these SOP classes there, or leave them out with when.modality.',
      'NOT_NEGOTIATED',
    );
  if (half.length > 0)
    return warning(
      `${prefix}, but takes ${namesOf(half)} in Implicit VR Little Endian only`,
      'Accept Explicit VR Little Endian there: most scanners send in it.',
      'NOT_NEGOTIATED',
    );
  return ok(`${prefix}, and takes ${namesOf(classes)}`);
}

const keyOf = ({ sopClassUid, transferSyntax }: Kind): string => `${sopClassUid} ${transferSyntax}`;
const namesOf = (classes: readonly string[]): string => classes.map((uid) => NAMES[uid] ?? uid).join(', ');

/** Failures of transfers, of TLS, and of DICOM data sets. */
import type { Section } from './types.ts';

export const NETWORK: readonly Section[] = [
  {
    title: 'Transferring',
    intro:
      'From `scanflow transfer` ([transferring.md](transferring.md)). It also shows codes of the section above, for the source or for the target.',
    failures: [
      [
        'MOVE_UNKNOWN_TARGET',
        'permanent',
        "the source does not know the target's AE title (status A801)",
        "enter the target's AE title, host and port at the source",
      ],
      [
        'MOVE_REFUSED',
        'transient',
        'the source is out of resources, or cannot send to the target (A7xx)',
        'see that the target runs, and that the source has its address',
      ],
      [
        'MOVE_FAILED',
        'transient, permanent',
        'the source answered C-MOVE with another failure (A9xx, Cxxx …)',
        'look into its log',
      ],
      [
        'MOVE_INCOMPLETE',
        'transient',
        'the source reports that it did not send every image',
        "look into its log and the target's; run the list again",
      ],
      [
        'MOVE_LOST',
        'ambiguous',
        'the source broke off or fell silent; it may go on sending',
        'nothing; it queries the target for what it has. A slow source may need more `--timeout`',
      ],
      [
        'TRANSFER_NO_MATCH',
        'permanent',
        'the source has no study of that number, or answers with others',
        'check the number, and whether it is archived there',
      ],
      [
        'TRANSFER_SEVERAL_STUDIES',
        'permanent',
        'the source has more than one study of that accession number',
        'put the right Study Instance UIDs, which the message names, into the list',
      ],
      [
        'TRANSFER_NO_IMAGES',
        'permanent',
        'the source knows the study and no image of it',
        'look for it at the source',
      ],
      [
        'TRANSFER_NOT_ARRIVED',
        'transient',
        'the source reported no failure, but images are missing at the target',
        'look into the log of both; run the list again later',
      ],
      [
        'TRANSFER_UNCOUNTED',
        'permanent',
        'a node gives neither the images of a series nor their number',
        'ask its vendor for C-FIND at the IMAGE level',
      ],
      [
        'TRANSFER_TOO_MANY',
        'permanent',
        'more than 100,000 answers to one query',
        'request less: a shorter range of dates',
      ],
      [
        'TRANSFER_NO_MODALITY',
        'permanent',
        'the Orthanc of `--via` does not know the archive by that name',
        'give the name from its `DicomModalities`',
      ],
    ],
  },
  {
    title: 'TLS',
    failures: [
      [
        'TLS_EXPIRED TLS_NOT_YET_VALID',
        'transient',
        'a certificate is not valid now',
        'renew it; check the clocks of both machines',
      ],
      [
        'TLS_WRONG_CA TLS_SELF_SIGNED',
        'transient',
        'its authority is not trusted',
        "put the authority's certificate into the file that `ca` names",
      ],
      [
        'TLS_WRONG_NAME',
        'transient',
        'its certificate is for another name',
        'use a name that the certificate has, or `serverName`',
      ],
      [
        'TLS_WRONG_PURPOSE',
        'transient',
        'its certificate is not for this side of a connection',
        'request one for serverAuth or clientAuth',
      ],
      ['TLS_REVOKED', 'transient', 'its certificate was revoked', 'request a new one'],
      [
        'TLS_CERTIFICATE_REFUSED',
        'transient',
        'the peer refuses our certificate',
        'make it trust the authority of ours; check that ours is still valid',
      ],
      [
        'TLS_NO_CLIENT_CERTIFICATE NO_CLIENT_CERTIFICATE',
        'transient',
        'the side that calls shows no certificate',
        'configure key and certificate there',
      ],
      [
        'TLS_NOTHING_IN_COMMON',
        'transient',
        'no version or cipher suite that both allow',
        'TLS 1.2 or later at both; see [tls.md](tls.md)',
      ],
      [
        'TLS_NOT_TLS TLS_CLOSED TLS_TIMEOUT',
        'transient',
        'the handshake fails',
        'check the port, and that TLS is on at both sides',
      ],
      [
        'TLS_UNVERIFIED TLS_FAILED',
        'transient',
        'another reason, which the message names',
        'as the message says',
      ],
      [
        'TLS_CREDENTIALS',
        'permanent',
        'our key and certificates cannot be used',
        'correct the files under `tls`; they must be PEM',
      ],
    ],
  },
  {
    title: 'DICOM data sets',
    intro: 'Why a data set cannot be read; part of the message of `BROKEN` and of refused requests.',
    failures: [
      ['NOT_PART10 DICOM_NOT_PART10', 'notice', 'no DICOM file', 'look where it comes from'],
      ['TRUNCATED DICOM_TRUNCATED', 'notice', 'it ends within an element', 'send or write it again'],
      [
        'TRANSFER_SYNTAX DICOM_SYNTAX_UNKNOWN',
        'notice',
        'a transfer syntax that Scanflow does not read',
        'write it in another one',
      ],
      [
        'BAD_LENGTH BAD_VR BAD_STRUCTURE ORDER',
        'notice',
        'not encoded as PS3.5 says',
        'report it to the vendor of the sender',
      ],
      [
        'BAD_TEXT CHARACTER_SET',
        'notice',
        'text that its character set does not define, or a set that is not known',
        "set the sender's character set right",
      ],
      [
        'TOO_DEEP TOO_MANY',
        'notice',
        'more nesting or more elements than any real one has',
        'report it to the vendor of the sender',
      ],
      ['ENCAPSULATED', 'notice', 'compressed pixel data where plain elements are read', 'nothing'],
      ['DICOM_UNDECODABLE', 'notice', 'none of the above', 'report it to the vendor of the sender'],
    ],
  },
];

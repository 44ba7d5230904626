/** The generated parts of the conformance statement, from the constants that the code works with. */
import { APPLICATION_CONTEXT, conditionalSequences, formatTag } from '@scanflow/dicom';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, keywordOf } from '@scanflow/dicom';
import { sopClasses, type Tag } from '@scanflow/dicom';
import { facts } from '@scanflow/dimse';
import {
  AT_END,
  FIXED,
  ON_CREATE,
  type Requirement,
} from '../../services/worklist/src/domain/performed-table.ts';
import { servedContexts, worklistLimits } from '../../services/worklist/src/domain/served.ts';
import { itemAttributes, keyTable, matchingTable } from './attributes.ts';
import { characterSetTable, configurationTable } from './configuration.ts';
import { seconds, table, uidName } from './markdown.ts';
import {
  actionStatuses,
  failureReasons,
  findStatuses,
  moveStatuses,
  performedStatuses,
  reportStatuses,
  storeStatuses,
} from './statuses.ts';

const { scp, scu, commitment, tls } = facts;
const limits = { ...scp.limits, ...worklistLimits };
const contexts = [scp.verification, ...servedContexts];
const nameOf = (tag: Tag): string => keywordOf(tag) ?? formatTag(tag);

const services = (): string =>
  table(
    ['SOP class', 'UID', 'As SCU', 'As SCP'],
    [
      ...contexts.map(({ abstractSyntax: uid }) => [
        uidName(uid),
        uid,
        uid === sopClasses.modalityPerformedProcedureStep ? 'no' : 'COMMAND',
        'WORKLIST',
      ]),
      ...[sopClasses.studyRootFind, sopClasses.studyRootMove].map((uid) => [
        uidName(uid),
        uid,
        'COMMAND',
        'no',
      ]),
      [uidName(commitment.served.abstractSyntax), commitment.served.abstractSyntax, 'STREAMER', 'no'],
      ['Storage: whatever SOP class a file is of', 'those of the files', 'STREAMER, COMMAND', 'no (Orthanc)'],
    ],
  );

const implementation = (): string =>
  table(
    ['', ''],
    [
      ['Implementation Class UID', `\`${IMPLEMENTATION_CLASS_UID}\``],
      ['Implementation Version Name', `\`${IMPLEMENTATION_VERSION_NAME}\``],
      ['Application Context', `\`${APPLICATION_CONTEXT}\``],
    ],
  );

const entities = (): string =>
  table(
    ['Application entity', 'Program', 'Accepts associations', 'Requests associations'],
    [
      ['WORKLIST', 'services/worklist', 'yes', 'no'],
      ['STREAMER', 'services/streamer', 'for reports of storage commitment, where configured', 'yes'],
      ['COMMAND', 'services/cli', 'no', 'yes'],
    ],
  );

const scpParameters = (): string =>
  table(
    ['Parameter', 'Value'],
    [
      ['Maximum length announced', `${limits.pduBytes} bytes`],
      ['Maximum length of the peer', 'honoured from 7 bytes; 0 is no limit; less is rejected'],
      [
        'Connections at a time',
        `${limits.connections}, ${limits.connectionsPerPeer} of them from one address`,
      ],
      [
        'Asynchronous operations',
        `none; up to ${limits.waitingRequests} requests of an association wait for their turn`,
      ],
      ['Time for an association request, and for closing afterwards (ARTIM)', seconds(limits.artimMs)],
      ['Time without a request', seconds(limits.idleMs)],
      ['The same, where connections are as many as allowed', seconds(limits.yieldMs)],
      ['Time in which a request gets no answer for a fault of ours', seconds(limits.handlerMs)],
      ['Time in which the peer takes nothing', seconds(limits.stallMs)],
      ['Longest association request', `${limits.associateBytes} bytes`],
      ['Longest command set', `${limits.commandBytes} bytes`],
      ['Longest data set', `${limits.dataSetBytes} bytes`],
      [
        'Bytes of messages that are unfinished or not answered',
        `${limits.heldBytes} in total, ${limits.heldBytesPerPeer} from one address, beyond the first ${limits.freeBytes} of each association; the message that exceeds it ends its association (A-ABORT)`,
      ],
      ['Time in which nothing more comes of an unfinished message', seconds(limits.stalledMs)],
    ],
  );

const scuParameters = (): string =>
  table(
    ['Parameter', 'Value'],
    [
      ['Maximum length announced', `${scu.limits.dataBytes} bytes`],
      ['Asynchronous operations', `proposed with C-STORE: ${scu.storeOperations} invoked; else none`],
      ['Time for the connection', seconds(scu.timeouts.connect)],
      ['Time for the answer to the association request', seconds(scu.timeouts.association)],
      ['Time for a response', seconds(scu.timeouts.response)],
      ['Longest silence in a C-MOVE (`--timeout`)', seconds(scu.moveQuietMs)],
      ['Time for the release', seconds(scu.timeouts.release)],
      ['Longest data set of an answer', `${scu.limits.dataSetBytes} bytes`],
    ],
  );

const contextRows = (uid: string, syntaxes: readonly string[], ...more: string[]): string[] => [
  `${uidName(uid)}<br>${uid}`,
  syntaxes.map((one) => `${uidName(one)} ${one}`).join('<br>'),
  ...more,
];

const scpContexts = (): string =>
  table(
    ['Abstract syntax', 'Transfer syntaxes, in the order of preference', 'Operations'],
    contexts.map(({ abstractSyntax, transferSyntaxes, operations }) =>
      contextRows(abstractSyntax, transferSyntaxes, (operations ?? ['C-ECHO']).join(', ')),
    ),
  );

const scuContexts = (): string =>
  table(
    ['Abstract syntax', 'Transfer syntaxes', 'By'],
    [
      contextRows(sopClasses.verification, scu.echoSyntaxes, 'COMMAND'),
      contextRows(sopClasses.modalityWorklistFind, scu.findSyntaxes, 'COMMAND'),
      contextRows(sopClasses.studyRootFind, scu.findSyntaxes, 'COMMAND'),
      contextRows(sopClasses.studyRootMove, scu.moveSyntaxes, 'COMMAND'),
      contextRows(commitment.served.abstractSyntax, commitment.syntaxes, 'STREAMER'),
      ['SOP class of the file', 'transfer syntax of the file', 'STREAMER, COMMAND'],
    ],
  );

const tlsTable = (): string =>
  table(
    ['`profile`', 'Profile', 'TLS 1.3', 'TLS 1.2 (names of OpenSSL)'],
    Object.entries(tls.profiles).map(([name, { title, clause, suites13, suites12 }]) => [
      `\`${name}\``,
      `${title}, ${clause}`,
      suites13.join('<br>'),
      suites12.join('<br>'),
    ]),
  );

const required = (requirements: readonly Requirement[], indent = ''): string[][] =>
  requirements.flatMap(({ tag, type, items }) => [
    [`${indent}${nameOf(tag)}`, formatTag(tag), String(type)],
    ...required(items, `${indent}> `),
  ]);

/** What stands for `{{name}}` in the template. */
export const parts: Readonly<Record<string, () => string>> = {
  services,
  implementation,
  entities,
  characterSets: characterSetTable,
  matching: matchingTable,
  keys: keyTable,
  conditional: () => [...conditionalSequences].map(nameOf).join(', '),
  performedCreate: () => table(['Attribute', 'Tag', 'Type'], required(ON_CREATE)),
  performedEnd: () => AT_END.map(({ tag }) => nameOf(tag)).join(', '),
  performedFixed: () => FIXED.map(nameOf).join(', '),
  storeContexts: () => String(scu.storeContexts),
  configuration: configurationTable,
  scpParameters,
  scpContexts,
  rejections,
  findStatuses,
  performedStatuses,
  scuParameters,
  scuContexts,
  storeStatuses,
  actionStatuses,
  failureReasons,
  reportStatuses,
  moveStatuses,
  tls: tlsTable,
  handshake: () => seconds(tls.handshakeMs),
  itemAttributes,
};

function rejections(): string {
  return table(
    ['Result', 'Source', 'Reason', 'When'],
    [
      [
        '1',
        '1',
        '2 application-context-name-not-supported',
        `another application context than ${APPLICATION_CONTEXT}`,
      ],
      [
        '1',
        '1',
        '3 calling-AE-title-not-recognized',
        'the calling AE title is not in `worklist.allow`, or calls from another address or with another certificate than `worklist.access` has for it',
      ],
      ['1', '1', '7 called-AE-title-not-recognized', 'the called AE title is not `worklist.aet`'],
      ['1', '2', '1 no-reason-given', 'the maximum length of the peer leaves no room for data'],
      ['1', '2', '2 protocol-version-not-supported', 'bit 0 of the protocol version is not set'],
      ['2', '1', '1 no-reason-given', 'the decision failed for a reason of ours'],
    ],
  );
}

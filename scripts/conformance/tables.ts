/** The generated parts of the conformance statement, from the constants that the code works with. */
import { APPLICATION_CONTEXT, conditionalSequences, formatTag } from '@scanflow/dicom';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, keywordOf } from '@scanflow/dicom';
import { sopClasses, type Tag } from '@scanflow/dicom';
import { facts } from './facts.ts';
import {
  AT_END,
  FIXED,
  ON_CREATE,
  type Requirement,
} from '../../services/worklist/src/domain/mpps-attributes.ts';
import { servedContexts, worklistLimits } from '../../services/worklist/src/adapters/scp.ts';
import { acceptorParameters, protocolRejections } from './acceptor.ts';
import { itemAttributes, keyTable, matchingTable } from './attributes.ts';
import { characterSetTable, configurationTable } from './configuration.ts';
import { seconds, table, uidName } from './markdown.ts';
import { receiverContexts, receiverParameters, receiverRejections } from './receiver.ts';
import {
  actionStatuses,
  failureReasons,
  findStatuses,
  moveStatuses,
  performedStatuses,
  receiverStatuses,
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
        uid === sopClasses.verification ? 'WORKLIST, RECEIVER' : 'WORKLIST',
      ]),
      ...[sopClasses.studyRootFind, sopClasses.studyRootMove].map((uid) => [
        uidName(uid),
        uid,
        'COMMAND',
        'no',
      ]),
      [uidName(commitment.served.abstractSyntax), commitment.served.abstractSyntax, 'STREAMER', 'no'],
      ['Storage: every SOP class, private ones too', 'section 7.3.2', 'STREAMER, COMMAND', 'RECEIVER'],
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
      ['RECEIVER', 'services/receiver', 'yes', 'no'],
      ['STREAMER', 'services/streamer', 'for reports of storage commitment, where configured', 'yes'],
      ['COMMAND', 'services/cli', 'no', 'yes'],
    ],
  );

const scpParameters = (): string =>
  table(
    ['Parameter', 'Value'],
    [...acceptorParameters(limits), ['Longest data set', `${limits.dataSetBytes} bytes`]],
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
  receiverParameters,
  receiverContexts,
  receiverRejections,
  receiverStatuses,
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
        '3 calling-AE-title-not-recognized',
        'the calling AE title is not in `worklist.allow`, or calls from another address or with another certificate than `worklist.access` has for it',
      ],
      ['1', '1', '7 called-AE-title-not-recognized', 'the called AE title is not `worklist.aet`'],
      ...protocolRejections,
    ],
  );
}

/** The tables about RECEIVER, which takes images. */
import { facts } from './facts.ts';
import { ROOM } from '../../services/receiver/src/holding.ts';
import { receiverLimits } from '../../services/receiver/src/ports.ts';
import { acceptorParameters, protocolRejections } from './acceptor.ts';
import { idleDefault } from './configuration.ts';
import { table, uidName } from './markdown.ts';

const { limits, storageSyntaxes, verification } = facts.scp;
const named = (uids: readonly string[]): string => uids.map((uid) => `${uidName(uid)} ${uid}`).join('<br>');

/** The receiver answers C-STORE when Orthanc has answered, so our own limit for handlers does not count. */
const NOT_OF_STORE = 'Longest time that our own code may take for an answer';

export const receiverParameters = (): string =>
  table(
    ['Parameter', 'Value'],
    [
      ...acceptorParameters({ ...limits, ...receiverLimits(idleDefault) }).filter(
        ([name]) => name !== NOT_OF_STORE,
      ),
      ['Longest data set', 'no bound of its own; it has to fit in the room below'],
      ['Data sets in memory', `${ROOM.memoryBytes} bytes in total, ${ROOM.memoryBytesEach} of one data set`],
      ['Data sets on disk, once memory has no room', `${ROOM.diskBytes} bytes in total; beyond it A700`],
    ],
  );

export const receiverContexts = (): string =>
  table(
    ['Abstract syntax', 'Transfer syntaxes, in the order of preference', 'Operations'],
    [
      [
        `${uidName(verification.abstractSyntax)}<br>${verification.abstractSyntax}`,
        named(verification.transferSyntaxes),
        'C-ECHO',
      ],
      [
        'Storage: every SOP class that is not listed below',
        `${named(storageSyntaxes)}<br>any other, private ones too: the first one proposed`,
        'C-STORE',
      ],
    ],
  );

export const receiverRejections = (): string =>
  table(
    ['Result', 'Source', 'Reason', 'When'],
    [
      [
        '1',
        '1',
        '3 calling-AE-title-not-recognized',
        '`arrivals.from` does not admit the calling AE title, or it calls from another address or with another certificate than `receiver.access` has for it',
      ],
      ['1', '1', '7 called-AE-title-not-recognized', 'the called AE title is not in `receiver.aets`'],
      ...protocolRejections,
    ],
  );

/** The worklist on the wire: associations by the access policy, C-ECHO, C-FIND from the schedule in memory, and MPPS. */
import { defined } from '@scanflow/failure/defined';
import { type DataSet, type MatchOptions, sopClasses, transferSyntaxes } from '@scanflow/dicom';
import {
  listen,
  type FindRequest,
  type Matches,
  type CreateHandler,
  type DimseLog,
  type Listening,
  type RequestReport,
  type SetHandler,
  type TlsAcceptor,
} from '@scanflow/dimse';
import type { Sender } from '@scanflow/dimse/access';
import type { AccessPolicy } from '../domain/access.ts';
import { answers, characterSetOf, refusal } from '../domain/answer.ts';
import { type QueryRecord, shownValues, valuedKeys } from '../domain/journal.ts';
import type { Schedule } from '../domain/schedule.ts';

export interface ScpSettings {
  readonly bind: string;
  readonly port: number;
  readonly policy: AccessPolicy;
  /** Undefined: plain TCP. */
  readonly tls: TlsAcceptor | undefined;
  /** Which addresses are proxies in front that say who asks. */
  readonly proxies?: (address: string) => boolean;
  readonly matching: MatchOptions;
  /** Most answers to a query; undefined: no limit. */
  readonly maxAnswers: number | undefined;
  /** The schedule of this moment: a query keeps the one it began with. */
  readonly schedule: () => Schedule;
  readonly log: DimseLog;
  readonly onAccepted: () => void;
  /**
   * `reason` is `result/source/reason` of PS3.8 9.3.4; `limit` for a connection that was closed at once; `tls`; `proxy`. `why` is for
   * people. AE titles are empty where the connection never said them.
   */
  readonly onRejected: (reason: string, caller: Sender, why: string) => void;
  /** A request was answered, as the wire saw it. */
  readonly onRequest: (report: RequestReport) => void;
  /** A query was answered, stopped, lost or refused. Its identifier is undefined where it could not be read. */
  readonly onQuery: (record: QueryRecord, identifier?: DataSet) => void;
  /** What scanners report of their exams (MPPS). */
  readonly onCreate: CreateHandler;
  readonly onSet: SetHandler;
}

const SUCCESS = 0x0000;
const CANCELLED = 0xfe00;
/** PS3.4 table K.4-1: refused, out of resources. It ends a query that had answers as well (C.4.1.3.2). */
const OUT_OF_RESOURCES = 0xa700;

/** Listens. Resolves when the port is bound; rejects with the system's error where it is taken. */
export function startScp(settings: ScpSettings): Promise<Listening> {
  const { bind, port, policy, log, onAccepted, onRejected, onRequest, onCreate, onSet } = settings;
  return listen({
    bind,
    port,
    log,
    limits: worklistLimits,
    contexts: servedContexts,
    ...defined({ tls: settings.tls, proxies: settings.proxies }),
    onCreate,
    onSet,
    admit: (association) => policy.admit(association),
    events: {
      accepted: () => onAccepted(),
      rejected: (caller, { result, source, reason, why }) =>
        onRejected(`${result}/${source}/${reason}`, caller, why),
      refused: (address, why) => {
        const [reason, words] = refusedAtOnce[why] ?? ['limit', `too much at a time: ${why}`];
        onRejected(reason, { callingAet: '', calledAet: '', address }, words);
      },
      request: (_, report) => onRequest(report),
      unreadable: (association, why) => settings.onQuery(unreadable(association, why)),
    },
    assumedCharacterSets: ({ callingAet }) => policy.assumed(callingAet),
    onFind: (request) => serve(request, settings),
  });
}

/** Reason and words of connections that no limit refused. */
const refusedAtOnce: Readonly<Record<string, readonly [reason: string, words: string]>> = {
  tls: ['tls', 'the TLS handshake failed; the log says why'],
  proxy: ['proxy', 'a proxy has to say who asks: send-proxy-v2 of HAProxy'],
};

const now = (): string => Temporal.Now.instant().toString({ smallestUnit: 'second' });

/** What is recorded of a query that nobody could read. */
function unreadable({ callingAet, address }: Sender, why: string): QueryRecord {
  const nothing = { keys: [], values: {}, characterSet: '', answers: 0, milliseconds: 0 };
  return { at: now(), callingAet, address, ...nothing, outcome: 'unreadable', why };
}

/** One query, from the schedule as it is now. Every end of it is logged and recorded, without any value. */
function* serve(
  request: FindRequest,
  { policy, schedule, matching, maxAnswers = Infinity, log, onQuery }: ScpSettings,
): Matches {
  const { association, identifier, signal, isTurnOver } = request;
  const { callingAet, address, id } = association;
  const query = { identifier, callingAet };
  const at = now();
  const started = performance.now();
  let count = 0;
  let outcome: QueryRecord['outcome'] = 'cancelled';
  let why: string | undefined;
  try {
    const refused = refusal(identifier);
    if (refused !== undefined) {
      outcome = 'refused';
      why = `${hex(refused.status)}: ${refused.comment}`;
      return refused;
    }
    for (const answer of answers(schedule(), query, policy, matching)) {
      if (answer === undefined && isTurnOver()) yield undefined;
      if (signal.aborted) return { status: CANCELLED };
      if (answer === undefined) continue;
      if (count >= maxAnswers) {
        outcome = 'limited';
        return { status: OUT_OF_RESOURCES, comment: `More than ${maxAnswers} items match; narrow the query` };
      }
      count += 1;
      yield answer;
    }
    outcome = 'complete';
    return { status: SUCCESS };
  } catch (error) {
    outcome = 'failed';
    why = 'an internal error; the log says more';
    throw error;
  } finally {
    const ms = Math.round((performance.now() - started) * 10) / 10;
    log.info('worklist.query', { association: id, callingAet, address, answers: count, ms, outcome });
    const asked = { keys: valuedKeys(identifier), values: shownValues(identifier) };
    const characterSet = characterSetOf(query, policy);
    const ended = { answers: count, milliseconds: ms, outcome, ...defined({ why }) };
    onQuery({ at, callingAet, address, ...asked, characterSet, ...ended }, identifier);
  }
}

const hex = (status: number): string => status.toString(16).toUpperCase().padStart(4, '0');

/** In the order of our preference: explicit VRs leave nothing to the peer's dictionary. */
const syntaxes = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
  transferSyntaxes.explicitVRBigEndian,
];

/** Beside Verification. The conformance statement reads this, and the limits, too. */
export const servedContexts = [
  {
    abstractSyntax: sopClasses.modalityWorklistFind,
    transferSyntaxes: syntaxes,
    operations: ['C-FIND'],
  },
  {
    abstractSyntax: sopClasses.modalityPerformedProcedureStep,
    transferSyntaxes: syntaxes,
    operations: ['N-CREATE', 'N-SET'],
  },
] as const;

/** Where they are not those of every SCP of ours. */
export const worklistLimits = {
  // the final N-SET of a step names each of its images: some 60,000 of them
  dataSetBytes: 8_388_608,
};

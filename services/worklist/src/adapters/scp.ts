/** The worklist on the wire: associations by the access policy, C-ECHO, C-FIND from the schedule in memory, and MPPS. */
import { setImmediate } from 'node:timers/promises';
import { sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { listen, type FinalStatus, type FindRequest, type FindResponse } from '@scanflow/dimse';
import type { CreateHandler, DimseLog, Listening, RequestReport, SetHandler } from '@scanflow/dimse';
import type { AccessPolicy } from '../domain/access.ts';
import { answers, characterSetOf, refusal } from '../domain/answer.ts';
import type { QueryRecord } from '../domain/journal.ts';
import { valuedKeys } from '../domain/keys.ts';
import type { Schedule } from '../domain/schedule.ts';

export interface ScpSettings {
  readonly bind: string;
  readonly port: number;
  readonly policy: AccessPolicy;
  /** The schedule of this moment: a query keeps the one it began with. */
  readonly schedule: () => Schedule;
  readonly log: DimseLog;
  readonly onAccepted: () => void;
  /** `result/source/reason` of PS3.8 9.3.4, or `limit` for a connection that was closed at once. */
  readonly onRejected: (reason: string) => void;
  /** A request was answered, as the wire saw it. */
  readonly onRequest: (report: RequestReport) => void;
  /** A query was answered, stopped or lost. */
  readonly onQuery: (record: QueryRecord) => void;
  /** What scanners report of their exams (MPPS). */
  readonly onCreate: CreateHandler;
  readonly onSet: SetHandler;
}

const SUCCESS = 0x0000;
const CANCELLED = 0xfe00;
/** The final N-SET of a step names each of its images: some 60,000 of them. */
const DATA_SET_BYTES = 8_388_608;

/** In the order of our preference: explicit VRs leave nothing to the peer's dictionary. */
const syntaxes = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
  transferSyntaxes.explicitVRBigEndian,
];

/** Listens. Resolves when the port is bound; rejects with the system's error where it is taken. */
export function startScp(settings: ScpSettings): Promise<Listening> {
  const { bind, port, policy, log, onAccepted, onRejected, onRequest, onCreate, onSet } = settings;
  return listen({
    bind,
    port,
    log,
    limits: { dataSetBytes: DATA_SET_BYTES },
    contexts: [
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
    ],
    onCreate,
    onSet,
    admit: (association) => policy.admit(association),
    events: {
      accepted: () => onAccepted(),
      rejected: (_, { result, source, reason }) => onRejected(`${result}/${source}/${reason}`),
      refused: () => onRejected('limit'),
      request: (_, report) => onRequest(report),
    },
    onFind: (request) => serve(request, settings),
  });
}

/** One query, from the schedule as it is now. Every end of it is logged and recorded, without any value. */
async function* serve(
  request: FindRequest,
  { policy, schedule, log, onQuery }: ScpSettings,
): AsyncGenerator<FindResponse, FinalStatus, undefined> {
  const { association, identifier, signal } = request;
  const { callingAet, address, id } = association;
  const query = { identifier, callingAet };
  const at = Temporal.Now.instant().toString({ smallestUnit: 'second' });
  const started = performance.now();
  let count = 0;
  let outcome: QueryRecord['outcome'] = 'cancelled';
  try {
    const refused = refusal(identifier);
    if (refused !== undefined) {
      outcome = 'failed';
      return refused;
    }
    for (const answer of answers(schedule(), query, policy)) {
      if (answer === undefined) await setImmediate();
      if (signal.aborted) return { status: CANCELLED };
      if (answer === undefined) continue;
      count += 1;
      yield answer;
    }
    outcome = 'complete';
    return { status: SUCCESS };
  } catch (error) {
    outcome = 'failed';
    throw error;
  } finally {
    const ms = Math.round((performance.now() - started) * 10) / 10;
    log.info('worklist.query', { association: id, callingAet, address, answers: count, ms, outcome });
    const keys = valuedKeys(identifier);
    const characterSet = characterSetOf(query, policy);
    onQuery({ at, callingAet, address, keys, characterSet, answers: count, milliseconds: ms, outcome });
  }
}

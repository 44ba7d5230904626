/** What a fuzzed scanner sends: conversations by the grammar of PS3.7, PS3.8 and PS3.5, then mutated. */
import { dataSet, encodeDataSet, sopClasses, transferSyntaxes, type Attributes } from '@scanflow/dicom';
import { request } from '@scanflow/testkit/dimse/raw-peer';
import { encodeCommand } from '../../packages/dimse/src/message.ts';
import { encodePdu, fragments } from '../../packages/dimse/src/ul/encode.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';

export interface Case {
  /** In the order in which they are written, each by itself. */
  readonly chunks: readonly Buffer[];
  /** How the scanner leaves: it waits, closes its half, or cuts the connection. */
  readonly end: 'wait' | 'half' | 'cut';
}

const SYNTAXES = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
  transferSyntaxes.explicitVRBigEndian,
];
const SOP_CLASSES = [
  sopClasses.modalityWorklistFind,
  sopClasses.modalityWorklistFind,
  sopClasses.verification,
  // Modality Performed Procedure Step
  '1.2.840.10008.3.1.2.3.3',
  '1.2.3',
];
const VALUES = [
  '',
  '*',
  '?',
  'PRISMA',
  '20260101-',
  '-',
  '\\',
  'A\\B',
  'ISO 2022 IR 87',
  'x'.repeat(70),
  'é^ß=\u30e4',
];
const KEYWORDS = [
  'PatientName',
  'PatientID',
  'AccessionNumber',
  'StudyInstanceUID',
  'PatientBirthDate',
  'SpecificCharacterSet',
  'PerformedProcedureStepStatus',
  'PerformedProcedureStepID',
  'PerformedStationAETitle',
  'Modality',
  'ScheduledStationAETitle',
  'ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepStartTime',
];
const SEQUENCES = [
  'ScheduledProcedureStepSequence',
  'RequestedProcedureCodeSequence',
  'ScheduledStepAttributesSequence',
  'PerformedSeriesSequence',
];

/** One scanner's whole conversation. */
export function makeCase(r: Random): Case {
  const syntax = r.pick(SYNTAXES);
  const parts = [associate(r, syntax)];
  for (let count = r.int(4); count > 0; count -= 1) parts.push(message(r, syntax));
  if (r.once(2)) parts.push(encodePdu({ type: 'release-rq' }));
  else if (r.once(3)) parts.push(encodePdu({ type: 'abort', source: r.int(3), reason: r.int(7) }));
  if (r.once(6)) parts.splice(r.int(parts.length + 1), 0, r.pick(parts));
  let bytes: Buffer = Buffer.concat(parts);
  // a quarter stays as the grammar made it
  for (let count = r.int(4); count > 0; count -= 1) bytes = mutate(r, bytes);
  return { chunks: chunked(r, bytes), end: r.pick(['wait', 'wait', 'half', 'cut']) };
}

function associate(r: Random, syntax: string): Buffer {
  const contexts = Array.from({ length: r.once(20) ? 128 : 1 + r.int(4) }, (_, index) => ({
    id: r.once(20) ? r.int(256) : 2 * index + 1,
    abstractSyntax: r.pick(SOP_CLASSES),
    transferSyntaxes: r.once(3) ? [r.pick(SYNTAXES), syntax] : [syntax],
  }));
  const [first, ...others] = contexts;
  const worklist = first && { ...first, id: 1, abstractSyntax: sopClasses.modalityWorklistFind };
  const maximum = r.pick([0, 1, 6, 7, 8, 128, 16_384, 0xffff_ffff]);
  const names = { calledAet: r.once(10) ? 'WRONG' : 'SCANFLOW', callingAet: r.once(10) ? '' : 'PRISMA' };
  const all = worklist === undefined ? others : [worklist, ...others];
  return Buffer.from(encodePdu(request({ ...names, contexts: all }, maximum)));
}

const FIELDS = [0x0020, 0x0020, 0x0020, 0x0030, 0x0140, 0x0120, 0x0fff, 0x0001, 0x8020, 0xffff];

function message(r: Random, syntax: string): Buffer {
  const commandField = r.pick(FIELDS);
  const contextId = r.once(8) ? r.int(256) : 1 + 2 * r.int(3);
  const withData = commandField !== 0x0030 && commandField !== 0x0fff && !r.once(10);
  const sopClass = r.pick(SOP_CLASSES);
  const command = encodeCommand({
    ...(commandField === 0x0120 ? { requestedSopClassUid: sopClass } : { affectedSopClassUid: sopClass }),
    commandField,
    ...(commandField === 0x0fff ? { messageIdBeingRespondedTo: r.int(4) } : { messageId: r.int(4) }),
    ...(commandField === 0x0140 ? { affectedSopInstanceUid: `2.25.${r.int(5)}` } : {}),
    ...(commandField === 0x0120 ? { requestedSopInstanceUid: `2.25.${r.int(5)}` } : {}),
    priority: r.int(3),
    dataSetType: withData ? 0x0102 : 0x0101,
  });
  const target = { contextId, size: r.pick([2, 16, 200, 16_000]) };
  const pieces = fragments(mutated(r, command, 8), true, { ...target, command: true });
  if (withData) {
    const identifier = Buffer.from(
      encodeDataSet(dataSet(attributes(r, 0)), r.once(8) ? r.pick(SYNTAXES) : syntax),
    );
    pieces.push(...fragments(mutated(r, identifier, 2), !r.once(20), { ...target, command: false }));
  }
  return Buffer.concat(pieces);
}

function attributes(r: Random, depth: number): Attributes {
  const made: Record<string, Attributes[string]> = {};
  for (let count = r.int(8); count > 0; count -= 1) made[r.pick(KEYWORDS)] = r.pick(VALUES);
  if (depth < 6 && r.once(2))
    made[r.pick(SEQUENCES)] = Array.from({ length: r.int(3) }, () => attributes(r, depth + 1));
  return made;
}

/** Mutated once in `times`. */
const mutated = (r: Random, bytes: Buffer, times: number): Buffer =>
  r.once(times) ? mutate(r, bytes) : bytes;

/** Whole, or cut where no PDU ends. */
function chunked(r: Random, bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  let rest = bytes;
  while (rest.length > 0 && chunks.length < 8 && r.once(3)) {
    const cut = 1 + r.int(rest.length);
    chunks.push(rest.subarray(0, cut));
    rest = rest.subarray(cut);
  }
  return rest.length > 0 ? [...chunks, rest] : chunks;
}

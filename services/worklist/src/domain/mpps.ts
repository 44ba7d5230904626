/**
 * The performed procedure step as a state machine (PS3.4 F.1.5, F.7.2): IN PROGRESS by N-CREATE, then COMPLETED or
 * DISCONTINUED by N-SET, and nothing after that.
 */
import type { ExamState } from '@scanflow/booking';
import { element, formatTag, keywordOf, tagOf, text } from '@scanflow/dicom';
import type { DataSet, Element, Tag } from '@scanflow/dicom';
import {
  contradicts,
  isEmpty,
  isSame,
  ALWAYS,
  AT_END,
  CIRCUMSTANCES,
  FIXED,
  ON_CREATE,
  ON_SET,
  type Requirement,
} from './mpps-attributes.ts';

/** PS3.7 annex C. */
export const MPPS_STATUS = {
  invalidValue: 0x0106,
  processingFailure: 0x0110,
  duplicate: 0x0111,
  unknown: 0x0112,
  missing: 0x0120,
  missingValue: 0x0121,
  notAuthorized: 0x0124,
  noResources: 0x0213,
} as const;

/** Why a request is not carried out: structurally the result that the upper layer sends. */
export interface MppsRefusal {
  readonly status: number;
  /** Names attributes, never their values; the answer has room for 64 characters of it. */
  readonly comment: string;
  readonly errorId?: number;
  readonly attributeIdentifiers?: readonly Tag[];
  /** What was not accepted, as it came. */
  readonly attributes?: DataSet;
}

/**
 * `strict` refuses what table F.7.2-1 does not allow. `lenient` takes all that can be used, since an exam whose report is
 * refused stays in progress for a day; `missingOf` says what was missing.
 */
export type Strictness = 'lenient' | 'strict';

export interface MppsStep {
  readonly state: ExamState;
  readonly attributes: DataSet;
}

export type MppsOutcome =
  { readonly ok: true; readonly step: MppsStep } | { readonly ok: false; readonly refusal: MppsRefusal };

const STATUS_TAG = tagOf('PerformedProcedureStepStatus');
const CHARACTER_SET = tagOf('SpecificCharacterSet');
const STATES: readonly ExamState[] = ['IN PROGRESS', 'COMPLETED', 'DISCONTINUED'];

/** The step that an N-CREATE makes (F.7.2.1). */
export function createStep(attributes: DataSet, strictness: Strictness): MppsOutcome {
  const flaws = flawsOf(attributes, strictness === 'strict' ? ON_CREATE : ALWAYS);
  if (flaws.length > 0) return refused(incomplete(attributes, flaws, MPPS_STATUS.missing));
  const state = stateOf(attributes, strictness);
  // F.7.2.1.3: another value is 0106 with an attribute list. An exam that is reported once, at its end, can be used
  if (state === undefined || (strictness === 'strict' && state !== 'IN PROGRESS'))
    return refused(badStatus(attributes, 'must be IN PROGRESS'));
  return { ok: true, step: { state, attributes: kept(attributes) } };
}

/** The step after an N-SET (F.7.2.2); the one before stays as it is. */
export function setStep(step: MppsStep, modifications: DataSet, strictness: Strictness): MppsOutcome {
  if (step.state !== 'IN PROGRESS') return refused(FINISHED);
  const wanted = element(modifications, STATUS_TAG);
  const isUnsaid = wanted === undefined || (strictness === 'lenient' && isEmpty(wanted));
  const state = isUnsaid ? step.state : stateOf(modifications, strictness);
  if (state === undefined) return refused(badStatus(modifications, 'is none of the three'));
  const changed = FIXED.filter((tag) =>
    isChanged(tag, step.attributes.get(tag), modifications.get(tag), strictness),
  );
  if (changed.length > 0) {
    const comment = `May not change: ${names(changed)}`;
    return refused({ status: MPPS_STATUS.invalidValue, comment, ...among(modifications, changed) });
  }
  const attributes = new Map([...step.attributes, ...news(step, kept(modifications))]);
  const refusal = strictness === 'strict' ? refusalOfSet(modifications, { state, attributes }) : undefined;
  return refusal === undefined ? { ok: true, step: { state, attributes } } : refused(refusal);
}

/** What an N-SET, or the step after it, lacks. */
function refusalOfSet(modifications: DataSet, { state, attributes }: MppsStep): MppsRefusal | undefined {
  const flaws = flawsOf(modifications, ON_SET).filter(({ path }) => modifications.has(path[0] ?? 0));
  if (flaws.length > 0) return incomplete(modifications, flaws, MPPS_STATUS.missingValue);
  const lacking = state === 'IN PROGRESS' ? [] : flawsOf(attributes, AT_END);
  // N-SET has no status for an absent attribute (PS3.7 10.1.3.1.9), only for an absent value
  return lacking.length > 0 ? incomplete(attributes, lacking, MPPS_STATUS.missingValue) : undefined;
}

/** What table F.7.2-1 asks of a step in this state and it lacks, such as `PerformedSeriesSequence.OperatorsName`. */
export function missingOf({ state, attributes }: MppsStep): string[] {
  const requirements = state === 'IN PROGRESS' ? ON_CREATE : [...ON_CREATE, ...AT_END];
  const paths = flawsOf(attributes, requirements).map(({ path }) => path.map(nameOf).join('.'));
  return [...new Set(paths)];
}

/** Without what may not change and has a value already, and without an empty status: what came first stays. */
function news(step: MppsStep, modifications: DataSet): DataSet {
  const stays = (tag: Tag, after: Element): boolean => {
    if (tag === STATUS_TAG) return isEmpty(after);
    const before = step.attributes.get(tag);
    return before !== undefined && !isEmpty(before) && FIXED.includes(tag);
  };
  return new Map([...modifications].filter(([tag, after]) => !stays(tag, after)));
}

/** F.7.2.2.4, table F.7.2-2. */
const FINISHED: MppsRefusal = {
  status: MPPS_STATUS.processingFailure,
  comment: 'Performed Procedure Step Object may no longer be updated',
  errorId: 0xa710,
};

/** PS3.7 C.5: the instance is there already, or is not there at all. */
export const DUPLICATE: MppsRefusal = {
  status: MPPS_STATUS.duplicate,
  comment: 'This step was created before',
};
export const UNKNOWN: MppsRefusal = {
  status: MPPS_STATUS.unknown,
  comment: 'No such step: it was not created here, or is long gone',
};

/** PS3.7 10.1.3.1.9: the exam is another scanner's. */
export const FOREIGN: MppsRefusal = {
  status: MPPS_STATUS.notAuthorized,
  comment: 'Another AE title created this step',
};

const refused = (refusal: MppsRefusal): MppsOutcome => ({ ok: false, refusal });

/** The status; leniently, `in_progress` and `Completed` are read as well, since they mean one thing only. */
function stateOf(given: DataSet, strictness: Strictness): ExamState | undefined {
  const value = text(given, STATUS_TAG) ?? '';
  const plain = (one: string): string => one.toUpperCase().replace(/[^A-Z]/g, '');
  return STATES.find(
    (state) => state === value || (strictness === 'lenient' && plain(state) === plain(value)),
  );
}

function badStatus(given: DataSet, how: string): MppsRefusal {
  const comment = `Performed Procedure Step Status ${how}`;
  return { status: MPPS_STATUS.invalidValue, comment, ...among(given, [STATUS_TAG]) };
}

/** Where something is missing: tags from the outside in. */
interface Flaw {
  readonly path: readonly Tag[];
  /** Absent, or there without a value. */
  readonly absent: boolean;
}

/** Every missing attribute once, however many items lack it. */
function flawsOf(given: DataSet, requirements: readonly Requirement[]): Flaw[] {
  const found = new Map<string, Flaw>();
  collect(given, requirements, [], found);
  return [...found.values()];
}

function collect(
  given: DataSet,
  requirements: readonly Requirement[],
  outside: readonly Tag[],
  found: Map<string, Flaw>,
): void {
  for (const { tag, type, items } of requirements) {
    const path = [...outside, tag];
    const there = given.get(tag);
    if (there === undefined || (type === 1 && isEmpty(there)))
      found.set(`${path.join('.')} ${there === undefined}`, { path, absent: there === undefined });
    if (there?.kind === 'sequence') for (const item of there.items) collect(item, items, path, found);
  }
}

/** Absent attributes come first: `absentStatus` for them, 0121 where all are there and some have no value. */
function incomplete(given: DataSet, flaws: readonly Flaw[], absentStatus: number): MppsRefusal {
  const absent = flaws.filter((flaw) => flaw.absent);
  const told = absent.length > 0 && absentStatus === MPPS_STATUS.missing ? absent : flaws;
  const tags = [...new Set(told.map(({ path }) => path.at(-1) ?? 0))];
  if (told === absent)
    return { status: absentStatus, comment: `Missing: ${names(tags)}`, attributeIdentifiers: tags };
  const comment = `Missing value: ${names(tags)}`;
  const outer = [...new Set(told.map(({ path }) => path[0] ?? 0))];
  return {
    status: MPPS_STATUS.missingValue,
    comment,
    attributeIdentifiers: tags,
    ...among(given, outer),
  };
}

const nameOf = (tag: Tag): string => keywordOf(tag) ?? formatTag(tag);

/** `PatientSex, StudyID`, as many as 64 characters hold after the words before them. */
function names(tags: readonly Tag[]): string {
  const all = tags.map(nameOf);
  const [first = ''] = all;
  let list = first.slice(0, 44);
  for (const [index, name] of all.slice(1).entries()) {
    const rest = all.length - 1 - index;
    if (list.length + name.length + 2 > 42) return `${list} +${rest}`;
    list = `${list}, ${name}`;
  }
  return list;
}

/** Those of the attributes that are there: PS3.7 C.4.2 and C.5.6 send back what was wrong. */
function among(given: DataSet, tags: readonly Tag[]): { attributes?: DataSet } {
  const found = tags.flatMap((tag): [Tag, Element][] => {
    const there = given.get(tag);
    return there === undefined ? [] : [[tag, there]];
  });
  return found.length === 0 ? {} : { attributes: new Map(found) };
}

/**
 * Scanners that send all of the step again do no harm. Strictly, an attribute that was never there may not come either;
 * else only another value of who and what was scanned is a change.
 */
function isChanged(
  tag: Tag,
  before: Element | undefined,
  after: Element | undefined,
  strictness: Strictness,
): boolean {
  if (after === undefined) return false;
  if (strictness === 'lenient')
    return before !== undefined && !CIRCUMSTANCES.has(tag) && contradicts(before, after);
  return before === undefined ? !isEmpty(after) : !isSame(before, after);
}

/** Without what is only encoding: the text of a step is Unicode here, whatever it came in (F.7.2.2.3). */
function kept(given: DataSet): DataSet {
  return new Map([...given].filter(([tag]) => tag !== CHARACTER_SET && (tag & 0xffff) !== 0));
}

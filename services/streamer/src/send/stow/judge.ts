/** What an answer to a STOW-RS request means for each of its instances (PS3.18 10.5.3, tables 10.5.3-1 and I.2-2). Pure. */
import { describeStatus } from '@scanflow/dicom';
import { type Failure, permanent, transient } from '@scanflow/failure';
import type { StowAnswer } from './answer.ts';

export type Verdict =
  | { readonly result: 'sent' }
  | { readonly result: 'warning'; readonly meaning: string }
  | { readonly result: 'failed'; readonly failure: Failure }
  /** The answer is about the request as a whole: by itself, each instance shows what becomes of it. */
  | { readonly result: 'alone' };

export interface Judgement {
  /** One for each instance. */
  readonly verdicts: readonly Verdict[];
  /** The destination as a whole: nothing more is sent for now. */
  readonly stop?: Failure;
}

export interface Answered {
  readonly status: number;
  /** Undefined where it is none. */
  readonly answer: StowAnswer | undefined;
}

/** With these, what the answer says of an instance is what became of it. Some servers answer 400 in the place of 409. */
const TOLD: ReadonlySet<number> = new Set([200, 202, 400, 409]);

/** @param uids SOP Instance UIDs of the request, no two the same */
export function judge(name: string, uids: readonly string[], answered: Answered): Judgement {
  const { status, answer } = answered;
  const unmentioned = judgeStatus(name, answered);
  const stop = 'stop' in unmentioned ? unmentioned.stop : undefined;
  const rest: Verdict =
    'each' in unmentioned && uids.length > 1
      ? { result: 'alone' }
      : { result: 'failed', failure: 'stop' in unmentioned ? unmentioned.stop : unmentioned.each };
  const told = TOLD.has(status) ? answer : undefined;
  const verdicts = uids.map((uid): Verdict => {
    if (told?.failed.has(uid) === true) return refused(name, told.failed.get(uid));
    if (told?.stored.has(uid) === true) return stored(told.stored.get(uid));
    return rest;
  });
  return stop === undefined ? { verdicts } : { verdicts, stop };
}

function stored(warning: number | undefined): Verdict {
  if (warning === undefined || warning === 0) return { result: 'sent' };
  return { result: 'warning', meaning: `${describeStatus('C-STORE', warning).meaning} (${hex(warning)})` };
}

/** PS3.18 table I.2-2 has the codes of C-STORE, and C122. */
const SYNTAX_NOT_SUPPORTED = 0xc122;

function refused(name: string, reason: number | undefined): Verdict {
  const { meaning, transient: passes } =
    reason === undefined
      ? { meaning: 'no reason given', transient: false }
      : reason === SYNTAX_NOT_SUPPORTED
        ? { meaning: 'transfer syntax not supported', transient: false }
        : describeStatus('C-STORE', reason);
  const shown = reason === undefined ? '' : ` (reason ${hex(reason)})`;
  const make = passes ? transient : permanent;
  return {
    result: 'failed',
    failure: make('STORE_REFUSED', `${name} refused the instance: ${meaning}${shown}.`),
  };
}

const hex = (code: number): string => `0x${code.toString(16).padStart(4, '0')}`;

/** `stop`: it concerns all that could be sent. `each`: the instances of this request. */
type StatusMeaning = { readonly stop: Failure } | { readonly each: Failure };

const BUSY: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504, 507]);
const ELSEWHERE: ReadonlySet<number> = new Set([404, 405, 410, 501]);

function judgeStatus(name: string, { status, answer }: Answered): StatusMeaning {
  if (status === 200 || status === 202)
    return answer === undefined ? unclear(name, status) : unmentioned(name);
  if (status === 401 || status === 403 || status === 407)
    return {
      stop: transient(
        'STOW_DENIED',
        `${name} refuses our user or token (${status}). Correct username and passwordFile, or tokenFile, of the destination.`,
      ),
    };
  if (status < 400 || ELSEWHERE.has(status))
    return {
      stop: transient(
        'STOW_NOT_THERE',
        `${name} answered ${status}: no images are taken there. Correct url of the destination; /studies is put behind it.`,
      ),
    };
  if (BUSY.has(status))
    return {
      stop: transient('STOW_BUSY', `${name} answered ${status}: not now. Sending goes on by itself.`),
    };
  if (status >= 500)
    return {
      each: transient(
        'STOW_ERROR',
        `${name} failed (${status}). Look into its log; the image is sent again.`,
      ),
    };
  return { each: refusedRequest(name, status) };
}

const unmentioned = (name: string): StatusMeaning => ({
  each: {
    kind: 'ambiguous',
    code: 'STOW_UNMENTIONED',
    message: `${name} answered without a word about the image: nobody knows whether it has it. It is sent again; look into the log there.`,
  },
});

const unclear = (name: string, status: number): StatusMeaning => ({
  stop: {
    kind: 'ambiguous',
    code: 'STOW_UNCLEAR',
    message: `${name} answered ${status}, but not as DICOMweb does: nobody knows whether it has the images. Check url of the destination.`,
  },
});

function refusedRequest(name: string, status: number): Failure {
  if (status === 413)
    return permanent('STOW_TOO_LARGE', `${name} takes no images of this size (413). Raise the limit there.`);
  if (status === 415)
    return permanent(
      'STOW_NOT_SUPPORTED',
      `${name} does not take DICOM files of this kind (415). Make it accept their transfer syntax and SOP class.`,
    );
  return permanent('STOW_REFUSED', `${name} refused the image (${status}). Look into the log there.`);
}

/** A Store Instances Response in JSON or XML, and what it means for each instance (PS3.18 10.5.3, I.2). Pure. */
import { xmlReader } from '@scanflow/runtime';
import { describeStatus } from '@scanflow/dicom';
import { type Failure, permanent, transient } from '@scanflow/failure';

/** By SOP Instance UID. */
interface StowAnswer {
  /** With the Warning Reason (0008,1196), where there is one. */
  readonly stored: ReadonlyMap<string, number | undefined>;
  /** With the Failure Reason (0008,1197). */
  readonly failed: ReadonlyMap<string, number | undefined>;
}

/** A data set of the answer, as far as it is looked at: tag in capitals → values or items. */
type Attributes = ReadonlyMap<string, readonly (string | Attributes)[]>;

const REFERENCED_SOP_SEQUENCE = '00081199';
const FAILED_SOP_SEQUENCE = '00081198';
const OTHER_FAILURES_SEQUENCE = '0008119A';
const REFERENCED_SOP_INSTANCE_UID = '00081155';
const WARNING_REASON = '00081196';
const FAILURE_REASON = '00081197';

/** Deeper than any answer goes. */
const MAX_DEPTH = 8;

/** Undefined where it is no such answer. */
export function parseAnswer(text: string): StowAnswer | undefined {
  try {
    const attributes = text.trimStart().startsWith('<') ? fromXml(text) : fromJson(JSON.parse(text), 0);
    return {
      stored: reasons(attributes, REFERENCED_SOP_SEQUENCE, WARNING_REASON),
      failed: reasons(attributes, FAILED_SOP_SEQUENCE, FAILURE_REASON),
    };
  } catch {
    return undefined;
  }
}

function reasons(answer: Attributes, sequence: string, reason: string): Map<string, number | undefined> {
  const found = new Map<string, number | undefined>();
  for (const item of answer.get(sequence) ?? []) {
    if (typeof item === 'string') continue;
    const uid = valueOf(item, REFERENCED_SOP_INSTANCE_UID);
    const code = Number.parseInt(valueOf(item, reason) ?? '', 10);
    if (uid !== undefined && uid !== '') found.set(uid, Number.isInteger(code) ? code : undefined);
  }
  return found;
}

const valueOf = (item: Attributes, tag: string): string | undefined => {
  const [value] = item.get(tag) ?? [];
  // a UID may come with the padding that it has in a file
  return typeof value === 'string' ? value.replace(/[\0 ]+$/, '') : undefined;
};

const KNOWN: ReadonlySet<string> = new Set([
  REFERENCED_SOP_SEQUENCE,
  FAILED_SOP_SEQUENCE,
  OTHER_FAILURES_SEQUENCE,
]);

/** DICOM JSON Model (PS3.18 F.2). Throws for anything else. */
function fromJson(value: unknown, depth: number): Attributes {
  // some servers answer with a list of one
  const data: unknown = depth === 0 && Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof data !== 'object' || data === null || Array.isArray(data) || depth > MAX_DEPTH)
    throw new Error('no DICOM JSON');
  const attributes = new Map<string, readonly (string | Attributes)[]>();
  for (const [tag, attribute] of Object.entries(data)) {
    if (typeof attribute !== 'object' || attribute === null) throw new Error('no DICOM JSON');
    const { Value: values = [] } = attribute as { readonly Value?: unknown };
    if (!Array.isArray(values)) throw new Error('no DICOM JSON');
    attributes.set(
      tag.toUpperCase(),
      values.map((one: unknown) =>
        typeof one === 'object' && one !== null ? fromJson(one, depth + 1) : String(one),
      ),
    );
  }
  if (depth === 0 && !KNOWN.values().some((tag) => attributes.has(tag))) throw new Error('not an answer');
  return attributes;
}

/** An instance has about ten parts, and no request sends 10,000 instances. */
const XML_LIMITS = { depth: 4 * MAX_DEPTH, parts: 1_000_000, piece: 65_536 };

/** Native DICOM Model (PS3.19 A.1). */
function fromXml(text: string): Attributes {
  const builder = new Builder();
  const reader = xmlReader(builder, XML_LIMITS);
  reader.write(Buffer.from(text));
  reader.end();
  return builder.result();
}

interface Level {
  readonly attributes: Map<string, (string | Attributes)[]>;
  values: (string | Attributes)[] | undefined;
}

class Builder {
  readonly #levels: Level[] = [{ attributes: new Map(), values: undefined }];
  #value: string | undefined;
  #model = false;

  readonly open = (name: string, given: Readonly<Record<string, string>>): void => {
    // some servers wrap it
    if (name === 'NativeDicomModel') this.#model = true;
    const level = this.#levels.at(-1);
    if (level === undefined || this.#levels.length > MAX_DEPTH) throw new Error('no DICOM XML');
    if (name === 'DicomAttribute') {
      const { tag = '' } = given;
      level.values = [];
      if (/^[0-9A-F]{8}$/i.test(tag)) level.attributes.set(tag.toUpperCase(), level.values);
    } else if (name === 'Value') this.#value = '';
    else if (name === 'Item') {
      const item: Level = { attributes: new Map(), values: undefined };
      level.values?.push(item.attributes);
      this.#levels.push(item);
    }
  };

  readonly text = (text: string): void => {
    if (this.#value !== undefined) this.#value += text;
  };

  readonly close = (name: string): void => {
    if (name === 'Item') this.#levels.pop();
    if (name !== 'Value' || this.#value === undefined) return;
    this.#levels.at(-1)?.values?.push(this.#value);
    this.#value = undefined;
  };

  result(): Attributes {
    const [root] = this.#levels;
    if (!this.#model || root === undefined) throw new Error('no DICOM XML');
    return root.attributes;
  }
}

export type Verdict =
  | { readonly result: 'sent' }
  | { readonly result: 'warning'; readonly meaning: string }
  | { readonly result: 'failed'; readonly failure: Failure }
  /** The answer is about the request as a whole: by itself, each instance shows what becomes of it. */
  | { readonly result: 'alone' };

interface Judgement {
  /** One for each instance. */
  readonly verdicts: readonly Verdict[];
  /** The destination as a whole: nothing more is sent for now. */
  readonly stop?: Failure;
}

interface Answered {
  readonly status: number;
  /** Undefined where it is none. */
  readonly answer: StowAnswer | undefined;
}

/** With these, what the answer says of an instance is what became of it. Some servers answer 400 instead of 409. */
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

/** What a Store Instances Response says of each instance (PS3.18 10.5.3.2, I.2), in JSON or XML. Pure. */
import { xmlReader } from '@scanflow/runtime';

/** By SOP Instance UID. */
export interface StowAnswer {
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

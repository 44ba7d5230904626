/** What a Store Instances Response says of each instance (PS3.18 10.5.3.2, I.2), in JSON or XML. Pure. */

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

const MARKUP = /<(?<close>\/?)(?<name>[\w:.-]+)(?<attributes>[^<>]*?)(?<empty>\/?)>/g;

/** Native DICOM Model (PS3.19 A.1). Numbers and UIDs need no entities, so none are resolved. */
function fromXml(text: string): Attributes {
  const reader = new XmlReader(text);
  for (const { index, 0: whole, groups = {} } of text.matchAll(MARKUP)) {
    const { name = '', attributes = '', close, empty } = groups;
    const plain = name.slice(name.indexOf(':') + 1);
    if (close === '/') reader.end(plain, index);
    else reader.begin(plain, attributes, empty === '/', index + whole.length);
  }
  return reader.result();
}

interface Level {
  readonly attributes: Map<string, (string | Attributes)[]>;
  values: (string | Attributes)[] | undefined;
}

class XmlReader {
  readonly #text: string;
  readonly #root: Level = { attributes: new Map(), values: undefined };
  readonly #levels: Level[] = [this.#root];
  #valueFrom = -1;
  #model = false;

  constructor(text: string) {
    this.#text = text;
  }

  begin(name: string, attributes: string, empty: boolean, after: number): void {
    const level = this.#levels.at(-1);
    if (level === undefined || this.#levels.length > MAX_DEPTH) throw new Error('no DICOM XML');
    if (name === 'NativeDicomModel') this.#model = true;
    if (name === 'DicomAttribute') {
      const tag = /\btag\s*=\s*["']([0-9A-Fa-f]{8})["']/.exec(attributes)?.[1];
      level.values = [];
      if (tag !== undefined) level.attributes.set(tag.toUpperCase(), level.values);
    }
    if (empty) return;
    if (name === 'Value') this.#valueFrom = after;
    if (name === 'Item') {
      const item: Level = { attributes: new Map(), values: undefined };
      level.values?.push(item.attributes);
      this.#levels.push(item);
    }
  }

  end(name: string, at: number): void {
    if (name === 'Item') this.#levels.pop();
    if (name === 'Value' && this.#valueFrom >= 0) {
      this.#levels.at(-1)?.values?.push(this.#text.slice(this.#valueFrom, at));
      this.#valueFrom = -1;
    }
  }

  result(): Attributes {
    if (!this.#model || this.#levels.length !== 1) throw new Error('no DICOM XML');
    return this.#root.attributes;
  }
}

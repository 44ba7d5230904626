/** Text of others where a person reads it: without what names a person, and without characters that steer a terminal. Pure. */
import { defined, given } from '@scanflow/failure/defined';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** What a caller puts into a log line. It is cut to bounded, plain data, without what names or describes a person. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface RedactOptions {
  /** At level debug: nothing is withheld, and errors have their stack. */
  readonly everything: boolean;
}

const WITHHELD = '[withheld]';
const MAX_DEPTH = 6;
const MAX_ITEMS = 50;
const MAX_TEXT = 2_000;

/**
 * Names of fields whose values are withheld, in small letters and without `-` and `_`. A guard for what slips in:
 * whoever logs leaves these out in the first place.
 */
const NAMES = new Set([
  'birthdate',
  'dateofbirth',
  'subject',
  'session',
  'project',
  'label',
  'labels',
  'title',
  'summary',
  'description',
  'operator',
  'operatorsname',
  'organizer',
  'booker',
  'bookers',
  'attendee',
  'attendees',
  'studyid',
  'studydescription',
  'seriesdescription',
  'protocolname',
  'performedprocedurestepdescription',
  'scheduledprocedurestepdescription',
  'requestedproceduredescription',
  'requestedprocedureid',
  'requestingphysician',
  'referringphysicianname',
  'performingphysicianname',
  'nameofphysiciansreadingstudy',
  'username',
  'password',
  'secret',
  'token',
  'authorization',
  'cookie',
]);
/** All of the Patient module (PS3.3 C.7.1.1): PatientName, PatientID, PatientBirthDate, OtherPatientIDs … */
const PATIENT = /^(?:other|responsible)?patient/;

const isWithheld = (name: string): boolean => {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, '');
  return NAMES.has(plain) || PATIENT.test(plain);
};

/** Fields as they may be written: errors as data, no cycles, nothing endless, `[withheld]` for what names a person. */
export function redact(fields: LogFields, options: RedactOptions): Record<string, unknown> {
  try {
    return record(Object.entries(fields), options, []);
  } catch {
    // a foreign getter or toJSON may throw: a log line must never fail the work
    return { fields: '(cannot be written)' };
  }
}

function record(
  entries: readonly (readonly [string, unknown])[],
  options: RedactOptions,
  above: readonly object[],
): Record<string, unknown> {
  const kept = entries.slice(0, MAX_ITEMS).map(([name, value]) => [
    name,
    // an absent value needs no guard, and `[withheld]` would suggest that there was one
    !options.everything && value !== undefined && isWithheld(name) ? WITHHELD : plain(value, options, above),
  ]);
  return Object.fromEntries(
    entries.length > MAX_ITEMS ? [...kept, ['…', `${entries.length - MAX_ITEMS} more`]] : kept,
  ) as Record<string, unknown>;
}

function plain(value: unknown, options: RedactOptions, above: readonly object[]): unknown {
  if (typeof value === 'string')
    return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}… (${value.length} characters)` : value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (above.includes(value) || above.length >= MAX_DEPTH) return '…';
  return plainObject(value, options, [...above, value]);
}

function plainObject(value: object, options: RedactOptions, above: readonly object[]): unknown {
  if (value instanceof Error) return errorFields(value, options, above);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `(${value.byteLength} bytes)`;
  if (value instanceof Map)
    return record(
      [...(value as ReadonlyMap<unknown, unknown>)].map(([key, one]) => [String(key), one] as const),
      options,
      above,
    );
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...(value as Iterable<unknown>)];
    const kept = items.slice(0, MAX_ITEMS).map((one) => plain(one, options, above));
    return items.length > MAX_ITEMS ? [...kept, `… ${items.length - MAX_ITEMS} more`] : kept;
  }
  // Temporal, URL and the like know how they are written
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return plain((value.toJSON as () => unknown).call(value), options, above);
  return record(Object.entries(value), options, above);
}

function errorFields(
  error: Error,
  options: RedactOptions,
  above: readonly object[],
): Record<string, unknown> {
  return {
    name: error.name,
    ...('code' in error ? { code: plain(error.code, options, above) } : {}),
    message: plain(error.message, options, above),
    ...defined({ cause: given(error.cause, (cause) => plain(cause, options, above)) }),
    ...(error instanceof AggregateError ? { errors: plain(error.errors, options, above) } : {}),
    ...(options.everything ? { stack: error.stack } : {}),
  };
}

// Text of others where a person reads it. Pure.

/** Control characters (C0, DEL, C1), line separators, and what turns the direction of text. */
const STEERING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Characters that steer a terminal, as `\u001b`. In JSON, that stands for the same.
 *
 * @example
 * ```ts
 * import { visible } from '@scanflow/runtime/visible';
 *
 * visible('a\x1b[2J'); // → 'a\\u001b[2J'
 * ```
 */
export const visible = (text: string): string =>
  text.replaceAll(STEERING, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text between tags, or in an attribute with quotes, of HTML or XML. */
export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** Logs: winston to stderr, JSON lines for machines, readable lines on a terminal, patient attributes withheld. */
import { styleText } from 'node:util';
import winston from 'winston';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  /** What happened, then with what. Never a patient attribute above debug. */
  error(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
  /** A log whose every line also has these fields. */
  child(fields: LogFields): Log;
}

export interface LogOptions {
  readonly service: string;
  readonly level?: LogLevel;
  /** JSON lines, or readable text; readable where stderr is a terminal. */
  readonly format?: 'json' | 'text';
  /** Where the lines go; stderr. */
  readonly stream?: NodeJS.WritableStream;
}

/** Fields that name or describe a person, whatever the letter case: their values are withheld above debug. */
const WITHHELD = new Set(
  [
    'patientName',
    'patientId',
    'patientBirthDate',
    'birthDate',
    'patientSex',
    'otherPatientIds',
    'subject',
    'session',
    'project',
    'labels',
    'title',
    'summary',
    'description',
    'operator',
    'organizer',
    'attendee',
    'studyDescription',
    'seriesDescription',
    'requestedProcedureDescription',
    'requestingPhysician',
    'referringPhysicianName',
    'password',
    'authorization',
  ].map((name) => name.toLowerCase()),
);

const COLOURS = { error: 'red', warn: 'yellow', info: 'green', debug: 'dim' } as const;

export function createLog({ service, level = 'info', format, stream = process.stderr }: LogOptions): Log {
  const asText = format === undefined ? process.stderr.isTTY : format === 'text';
  const logger = winston.createLogger({
    level,
    format: winston.format.printf((info) => {
      const { level: at, message, ...rest } = info;
      const line = {
        time: Temporal.Now.instant().toString({ smallestUnit: 'millisecond' }),
        level: at,
        event: String(message),
        rest,
      };
      return asText
        ? textLine(line)
        : JSON.stringify({ time: line.time, level: at, service, event: line.event, ...rest });
    }),
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  });
  return logOf(logger, {}, level === 'debug');
}

function logOf(logger: winston.Logger, fixed: LogFields, everything: boolean): Log {
  const write = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    logger.log({ ...tidy({ ...fixed, ...fields }, everything), level, message: event });
  };
  return {
    error: (event, fields) => write('error', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    info: (event, fields) => write('info', event, fields),
    debug: (event, fields) => write('debug', event, fields),
    child: (fields) => logOf(logger, { ...fixed, ...fields }, everything),
  };
}

/** Fields as they may be written: errors as data, withheld names replaced, `level` and `message` kept out of winston's way. */
function tidy(fields: LogFields, everything: boolean): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name === 'level' || name === 'message' ? `${name}_` : name,
      !everything && WITHHELD.has(name.toLowerCase()) ? '[withheld]' : plain(value, everything),
    ]),
  );
}

function plain(value: unknown, everything: boolean): unknown {
  if (value instanceof Error) {
    const code = 'code' in value ? { code: value.code } : {};
    return {
      name: value.name,
      ...code,
      message: value.message,
      ...(everything ? { stack: value.stack } : {}),
    };
  }
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map || value instanceof Set) return plain([...value], everything);
  if (Array.isArray(value)) return value.map((one) => plain(one, everything));
  const isPlain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? tidy(value as LogFields, everything) : value;
}

function textLine({
  time,
  level,
  event,
  rest,
}: {
  time: string;
  level: string;
  event: string;
  rest: LogFields;
}): string {
  const colour = COLOURS[level as LogLevel];
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = `${time.slice(11, 23)} ${styleText(colour, level.padEnd(5), { validateStream: false })} ${event}`;
  return fields.length === 0
    ? head
    : `${head}  ${styleText('dim', fields.join(' '), { validateStream: false })}`;
}

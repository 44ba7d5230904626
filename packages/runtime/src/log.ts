/** Logs: winston to stderr, JSON lines for machines, readable lines on a terminal, patient attributes withheld. */
import { styleText } from 'node:util';
import winston from 'winston';
import { visible, redact, type LogFields, type LogLevel } from './redact.ts';

export type { LogFields, LogLevel };

export interface Log {
  /**
   * What happened, then with what. Never a patient attribute above debug. Whatever a stranger can make us write has the field
   * `address`: many lines of one event and address are summed up.
   */
  error(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
  /** A log whose every line also has these fields. */
  child(fields: LogFields): Log;
}

/** A log that sums up what repeats. */
interface ServiceLog extends Log {
  /** Writes what was counted and is not written yet: before the process ends. */
  flush(): void;
}

export interface LogOptions {
  readonly service: string;
  readonly level?: LogLevel;
  /** JSON lines, or readable text; readable where the stream is a terminal. */
  readonly format?: 'json' | 'text';
  /** Of the times in readable text: the facility's. JSON lines have UTC. Default: UTC. */
  readonly timezone?: string;
  /** Where the lines go; stderr. */
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const COLOURS = { error: 'red', warn: 'yellow', info: 'green', debug: 'blue' } as const;
/** Names of every JSON line; a field with one of them gets a `_`. */
const OWN = new Set(['time', 'level', 'service', 'event']);

interface Line {
  readonly time: string;
  readonly level: LogLevel;
  readonly service: string;
  readonly event: string;
  readonly fields: LogFields;
}

/** A log of one service. Writing never throws, whatever the fields. */
export function createLog({
  service,
  level = 'info',
  format,
  timezone = 'UTC',
  stream = process.stderr,
}: LogOptions): ServiceLog {
  const asText = format === undefined ? stream.isTTY === true : format === 'text';
  const write = asText ? (line: Line): string => textLine(line, timezone) : jsonLine;
  const logger = winston.createLogger({
    level,
    format: winston.format.printf(({ level: at, message, fields }) =>
      write({
        time: Temporal.Now.instant().toString({ smallestUnit: 'millisecond' }),
        level: at as LogLevel,
        service,
        event: String(message),
        fields: fields as LogFields,
      }),
    ),
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  });
  const everything = level === 'debug';
  const put: Put = (at, event, fields) => {
    // in a field of their own, out of the way of winston's `level`, `message` and `splat`
    logger.log({ level: at, message: event, fields: redact(fields, { everything }) });
  };
  const repeats = new Repeats(put);
  const log = logOf(logger, {}, (at, event, fields) => {
    const { address } = fields;
    if (everything || typeof address !== 'string' || repeats.admit(at, event, address))
      put(at, event, fields);
  });
  return { ...log, flush: () => repeats.flush() };
}

type Put = (level: LogLevel, event: string, fields: LogFields) => void;

function logOf(logger: winston.Logger, fixed: LogFields, put: Put): Log {
  const write = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    if (logger.isLevelEnabled(level)) put(level, event, { ...fixed, ...fields });
  };
  return {
    error: (event, fields) => write('error', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    info: (event, fields) => write('info', event, fields),
    debug: (event, fields) => write('debug', event, fields),
    child: (fields) => logOf(logger, { ...fixed, ...fields }, put),
  };
}

const jsonLine = ({ fields, ...own }: Line): string =>
  JSON.stringify({
    ...own,
    ...Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [OWN.has(name) ? `${name}_` : name, value]),
    ),
  });

function textLine({ time, level, event, fields }: Line, timezone: string): string {
  const shown = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${visible(name)}=${textValue(value)}`],
  );
  const clock = Temporal.Instant.from(time).toZonedDateTimeISO(timezone).toPlainTime();
  const at = clock.toString({ smallestUnit: 'millisecond' });
  const head = `${at} ${styled(COLOURS[level], level.padEnd(5))} ${visible(event)}`;
  return shown.length === 0 ? head : `${head}  ${styled('dim', shown.join(' '))}`;
}

/** In quotes where it would be read as more than one thing. */
function textValue(value: unknown): string {
  const text = typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
  return visible(text);
}

const styled = (style: Parameters<typeof styleText>[0], text: string): string =>
  styleText(style, text, { validateStream: false });

/** Lines of an event and address that are written in a period. */
const BURST = 30;
const PERIOD_MS = 60_000;
/** Most events and addresses that are distinguished; further addresses count together. */
const MOST_KEYS = 1_000;

interface Counted {
  readonly level: LogLevel;
  readonly event: string;
  readonly address: string;
  readonly since: number;
  seen: number;
}

const OTHERS = 'other addresses';

/**
 * Lines that others make us write: events with an `address`. The first of each event and address are written, the rest is
 * counted and summed up, so that a flood takes a few lines and the evidence before it stays. In bounded memory.
 */
class Repeats {
  readonly #write: Put;
  readonly #counted = new Map<string, Counted>();
  #timer: NodeJS.Timeout | undefined;

  constructor(write: Put) {
    this.#write = write;
  }

  /** Whether to write a line now. False: it is counted, and the sum is written later. */
  admit(level: LogLevel, event: string, address: string): boolean {
    this.#timer ??= setInterval(() => this.flush(), PERIOD_MS).unref();
    const one = this.#entry(level, event, address);
    one.seen += 1;
    return one.seen <= BURST;
  }

  /** Writes the sums, and starts to count anew. */
  flush(): void {
    const now = performance.now();
    const all = [...this.#counted.values()];
    this.#counted.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { level, event, address, since, seen } of all) {
      const more = seen - BURST;
      if (more <= 0) continue;
      const seconds = Math.max(1, Math.round((now - since) / 1000));
      const note = `and ${more.toLocaleString('en')} more from ${address} in ${seconds} s`;
      this.#write(level, event, { address, more, seconds, note });
    }
  }

  #entry(level: LogLevel, event: string, address: string): Counted {
    const own = this.#counted.get(`${event} ${address}`);
    if (own !== undefined) return own;
    const shown = this.#counted.size < MOST_KEYS ? address : OTHERS;
    const key = `${event} ${shown}`;
    const found = this.#counted.get(key);
    if (found !== undefined) return found;
    const made = { level, event, address: shown, since: performance.now(), seen: 0 };
    this.#counted.set(key, made);
    return made;
  }
}

/** The streamer's ledger, and what it says is stuck. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';
import { kindOf } from './folder.ts';
import { askApi, askPage } from './pages.ts';
import { failed, ok, skipped, warning, type Check, type Finding } from './finding.ts';
import { pageOf, sees, type Place } from './place.ts';

export const ledgerChecks = (place: Place): Check[] =>
  sees(place, 'streamer')
    ? [
        { name: 'ledger', run: (signal) => lookAtLedger(place, signal) },
        { name: 'series', run: (signal) => lookAtSeries(place, signal) },
      ]
    : [];

async function lookAtLedger(place: Place, signal: AbortSignal): Promise<Finding> {
  const { ledger, data } = place.config;
  const there =
    ledger.url === undefined ? await sqlite(data) : await postgres(ledger.url, ledger.tls, signal);
  if (there.state === 'failed') return there;
  const page = await askPage(pageOf(place, 'streamer', '/healthz'), signal);
  const said = 'trouble' in page ? undefined : page.body['ledger'];
  if (said === 'ok') return there;
  if (typeof said === 'string')
    return failed(`the streamer says: ${said}`, 'See docs/failures.md.', 'LEDGER_FAILED');
  return warning(
    `${there.message}; the streamer, which works with it, cannot be asked`,
    'See streamer above.',
  );
}

async function sqlite(data: string): Promise<Finding> {
  const file = join(data, 'streamer', 'ledger.sqlite');
  return (await kindOf(file)) === 'file'
    ? ok(`${file} is in order`)
    : failed(`there is no ${file}`, 'Start the streamer, which makes it; or correct `data`.');
}

/** PostgreSQL's SSLRequest: answered with one byte by any server, before anybody is asked for a password. */
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');
const PORT = 5432;

async function postgres(url: string, tls: object | undefined, signal: AbortSignal): Promise<Finding> {
  const { hostname, port } = new URL(url);
  const where = `${hostname}:${port === '' ? PORT : port}`;
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? PORT : Number(port) });
  try {
    await once(socket, 'connect', { signal });
    socket.write(SSL_REQUEST);
    const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
    return judgePostgres(where, answer.toString('latin1', 0, 1), tls !== undefined);
  } catch (error) {
    signal.throwIfAborted();
    return failed(
      `PostgreSQL, which holds the ledger, does not answer at ${where} (${codeOf(error) ?? messageOf(error)})`,
      'Start it, or correct ledger.url; the work goes on by itself.',
      'LEDGER_UNREACHABLE',
    );
  } finally {
    socket.destroy();
  }
}

/** `S`: it speaks TLS, `N`: it does not. Pure. */
export function judgePostgres(where: string, answer: string, tls: boolean): Finding {
  if (answer !== 'S' && answer !== 'N')
    return failed(`what answers at ${where} is no PostgreSQL`, 'Correct ledger.url.', 'LEDGER_UNREACHABLE');
  if (tls && answer === 'N')
    return failed(
      `PostgreSQL at ${where} speaks no TLS, and ledger.tls asks for it`,
      'Turn TLS on there.',
      'LEDGER_TLS',
    );
  return ok(`PostgreSQL at ${where} answers`);
}

const MOST = 1_000;

async function lookAtSeries(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const count = async (state: string): Promise<number | undefined> => {
    const path = `/api/series?state=${state}&limit=${MOST}`;
    const page = await askApi(place.config, 'streamer', path, signal);
    const series = 'trouble' in page ? undefined : page.body['series'];
    return Array.isArray(series) ? series.length : undefined;
  };
  const [stuck, quarantined] = [await count('failed'), await count('quarantined')];
  if (stuck === undefined || quarantined === undefined)
    return [skipped('the streamer, which knows them, cannot be asked', 'See secrets and streamer above.')];
  const page = await askApi(place.config, 'streamer', `/api/series?warned=1&limit=${MOST}`, signal);
  const warned = 'trouble' in page ? undefined : page.body['series'];
  const warnings = Array.isArray(warned) ? judgeWarnings(warned as readonly WarnedSeries[]) : [];
  const [first, ...others] = judgeSeries(stuck, quarantined);
  return first?.state === 'ok' && warnings.length > 0
    ? warnings
    : [...(first ? [first] : []), ...others, ...warnings];
}

export interface WarnedSeries {
  readonly warnings?: readonly { readonly code: string }[];
}

/** A line for each code. Pure. */
export function judgeWarnings(series: readonly WarnedSeries[]): Finding[] {
  const codes = series.flatMap(({ warnings = [] }) => [...new Set(warnings.map(({ code }) => code))]);
  return [...Map.groupBy(codes, (code) => code)].map(([code, all]) =>
    warning(
      `${all.length >= MOST ? `${MOST} or more` : all.length} series have a warning`,
      'scanflow series list names them in its last column; scanflow series show ID has the reason.',
      code,
    ),
  );
}

/** Pure. */
export function judgeSeries(stuck: number, quarantined: number): Finding[] {
  const many = (count: number): string => (count >= MOST ? `${MOST} or more` : String(count));
  const findings = [
    ...(stuck > 0
      ? [warning(`${many(stuck)} series failed`, 'scanflow series list --state failed tells which, and why.')]
      : []),
    ...(quarantined > 0
      ? [
          warning(
            `${many(quarantined)} series belong to no project yet`,
            'scanflow series list --state quarantined; scanflow series release gives them one.',
          ),
        ]
      : []),
  ];
  return findings.length > 0 ? findings : [ok('none failed, none in quarantine')];
}

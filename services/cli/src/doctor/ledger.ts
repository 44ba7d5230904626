/** The streamer's ledger: the file is there, or PostgreSQL answers, and the streamer can use it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';
import { kindOf } from './folder.ts';
import { askPage } from '../api.ts';
import { failed, ok, pageOf, sees, warning, type Check, type Finding, type Place } from './check.ts';

export const ledgerChecks = (place: Place): Check[] =>
  sees(place, 'streamer') ? [{ name: 'ledger', run: (signal) => lookAtLedger(place, signal) }] : [];

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

/** PostgreSQL's SSLRequest: any server answers it with one byte, without a password. */
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

/** `S`: the server has TLS, `N`: it has not. Pure. */
export function judgePostgres(where: string, answer: string, tls: boolean): Finding {
  if (answer !== 'S' && answer !== 'N')
    return failed(`what answers at ${where} is no PostgreSQL`, 'Correct ledger.url.', 'LEDGER_UNREACHABLE');
  if (tls && answer === 'N')
    return failed(
      `PostgreSQL at ${where} speaks no TLS, and ledger.tls requires it`,
      'Turn TLS on there.',
      'LEDGER_TLS',
    );
  return ok(`PostgreSQL at ${where} answers`);
}

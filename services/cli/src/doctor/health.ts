/** Each service's /healthz, and the ledger: does it run, is it healthy, is it the version of this command, can it be used? */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';
import { askPage, hostIn } from '../api.ts';
import {
  failed,
  ok,
  pageOf,
  sees,
  SERVICES,
  warning,
  type Check,
  type Finding,
  type Place,
  type ServiceName,
} from './check.ts';
import { kindOf } from './folder.ts';

export const healthChecks = (place: Place, version: string): Check[] =>
  // senders.ts checks the receiver: an installation may have none
  SERVICES.filter((service) => service !== 'receiver' && sees(place, service)).map((service) => ({
    name: service,
    run: async (signal) => {
      const url = pageOf(place, service, '/healthz');
      const page = await askPage(url, signal);
      if ('trouble' in page)
        return failed(
          `${service} does not answer at ${url} (${page.trouble})`,
          `Start it, or look why it ended: docker compose ps -a, docker compose logs ${service}; http.ports has its port.`,
        );
      return judgeHealth(service, page, version);
    },
  }));

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a service reports of itself. `version`: of this command. Pure. */
export function judgeHealth(service: ServiceName, { status, body }: Answer, version: string): Finding[] {
  const theirs = body['version'];
  if (typeof body['status'] !== 'string')
    return [
      failed(
        `what answers is no ${service} (status ${status})`,
        `Another program has its port; correct http.ports.${service}, or stop that program.`,
      ),
    ];
  const findings: Finding[] = [];
  if (status !== 200)
    findings.push(
      failed(
        `it says that it is not well: ${reasons(body).join(' ') || 'no reason given'}`,
        `docker compose logs ${service} shows more.`,
      ),
    );
  const { warning: warned, problems } = body;
  if (typeof warned === 'string') findings.push(warning(warned, 'See docs/failures.md.'));
  if (typeof problems === 'number' && problems > 0)
    findings.push(
      warning(
        `${problems} files of the worklist have a problem`,
        `scanflow page ${service} /api/worklist names them.`,
      ),
    );
  if (theirs !== version)
    findings.push(
      warning(
        `it is version ${typeof theirs === 'string' ? theirs : 'unknown'}, this command is ${version}`,
        'Restart it with the same version: docker compose up -d --build.',
      ),
    );
  return findings.length > 0 ? findings : [ok(`it runs, version ${version}`)];
}

/** The texts in the answer that say what is wrong. */
function reasons(body: Readonly<Record<string, unknown>>): string[] {
  const { why, reason, failure, storage, ledger, orthanc } = body;
  const nested =
    typeof orthanc === 'object' && orthanc !== null && 'message' in orthanc ? orthanc.message : '';
  return [why, reason, failure, ledger, storage, nested].filter(
    (text): text is string => typeof text === 'string' && text !== '' && text !== 'ok',
  );
}

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
  const address = new URL(url);
  const port = address.port === '' ? PORT : Number(address.port);
  const where = `${address.hostname}:${port}`;
  const socket = connect({ host: hostIn(address), port });
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

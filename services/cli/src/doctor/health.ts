/** /healthz of each service: does it run, is it healthy, is it the same version as this command? */
import { askPage } from '../api.ts';
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

/** `scanflow transfer`: studies from one archive to another node, by a list of accession numbers. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, FailureError } from '@scanflow/failure';
import { readBounded, writeFileAtomic } from '@scanflow/runtime';
import {
  MOST_BYTES,
  openJournal,
  readList,
  transferList,
  type Journal,
  type Request,
  type Result,
  dicomSource,
  dicomTarget,
  viaSource,
  viaTarget,
  type Source,
  type Target,
} from '@scanflow/transfer/transfer';
import type { Peer } from '@scanflow/dimse';
import { orthancClient } from '@scanflow/orthanc';
import {
  EXIT,
  UsageError,
  type Command,
  type ExitCode,
  type Io,
  duration,
  positive,
  readArgs,
  wholeNumber,
  address,
  dialOf,
  ourAet,
  requireHttp,
  TLS_OPTIONS,
} from '../command.ts';
import { Progress } from '../terminal.ts';
import { asJson, asText, csv, progressText, reportName } from '../transfer/transfer-report.ts';
import { orthancLogin } from '../transfer/orthanc.ts';

const help = `Usage: scanflow transfer LIST.csv --from AET@host:port --to AET[@host:port] [OPTION …]
       scanflow transfer LIST.csv --via URL --from NAME [OPTION …]

Makes an archive send studies to another DICOM node (C-MOVE): only images that the node lacks, until it has all of them.
LIST.csv holds one accession number per line, or columns called AccessionNumber, StudyInstanceUID, PatientID, StudyDate (2026-11-22, or
2026-11-01..2026-11-30). The archive must know the AE titles of the target and of this command.

  --from AET@host:port  the archive that has the studies
  --to AET@host:port  the node that gets them. With its address it is queried; with the AE title alone, only the archive's report counts
  --calling AET       our AE title (default SCANFLOW)
  --at-once N         lines of the list at the same time (1 to 16; default 1)
  --timeout TIME      longest silence of the archive in a move, as 90s, 5m or 2h (default 10m)
  --wait TIME         how long to wait for the next image after a move, before missing ones are requested again (default 60s)
  --retries N         how often missing images are requested again, series by series (0 to 10; default 2)
  --retry-time TIME   how long to retry a node that does not answer (default 2m; 0s: no retry)
  --journal FILE      file that records what is done, so that the same command continues (default LIST.csv.journal; none: no journal)
  --again             also requests what the journal lists as done
  --report FOLDER     writes the report into this folder, as CSV
  --json              prints the report as JSON
  --via URL           an Orthanc queries the archive and receives the images; --from is the archive's name in its DicomModalities
  --orthanc-user NAME, --orthanc-password-file FILE   user and password for that Orthanc
  --tls, --tls-ca FILE, --tls-cert FILE, --tls-key FILE, --tls-profile NAME, --tls-name NAME   as in scanflow send, for --from
  --to-tls            also uses TLS for --to, with the same files

Exit codes: 0 every image is there; 1 some are not; 2 not started (usage, list, archive or target not reachable).

Example:  npx scanflow transfer accessions.csv --from PACS@pacs.example.org:11112 --to ORTHANC@127.0.0.1:4242 --report reports
          npx scanflow transfer accessions.csv --via http://127.0.0.1:8042 --from pacs
`;

const OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  calling: { type: 'string', default: 'SCANFLOW' },
  'at-once': { type: 'string' },
  timeout: { type: 'string', default: '10m' },
  wait: { type: 'string', default: '60s' },
  retries: { type: 'string' },
  'retry-time': { type: 'string', default: '2m' },
  journal: { type: 'string' },
  again: { type: 'boolean', default: false },
  report: { type: 'string' },
  json: { type: 'boolean', default: false },
  via: { type: 'string' },
  'orthanc-user': { type: 'string' },
  'orthanc-password-file': { type: 'string' },
  'to-tls': { type: 'boolean', default: false },
  ...TLS_OPTIONS,
} as const;

type Values = ReturnType<typeof readArgs<typeof OPTIONS>>['values'];

const MOST_TOLD = 20;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const [path] = positionals;
  if (path === undefined) throw new UsageError('transfer takes a list: scanflow transfer LIST.csv --from …');
  const requests = await listOf(path, io);
  const limits = {
    waitMs: positive('wait', values.wait),
    again: wholeNumber('retries', values.retries, { min: 0, max: 10, otherwise: 2 }),
    retryMs: duration('retry-time', values['retry-time']),
  };
  const atOnce = wholeNumber('at-once', values['at-once'], { min: 1, max: 16, otherwise: 1 });
  const nodes = await ready(values, io.signal);
  try {
    if (nodes.target === undefined)
      io.err.write(
        `${nodes.aet} is not queried for what it has: only the archive's report counts. Give --to AET@host:port\n`,
      );
    if (values.report !== undefined) await mkdir(values.report, { recursive: true });
    const notes = await journalOf(values, path, nodes);
    const progress = new Progress(io);
    const started = performance.now();
    const results = await transferList({
      terms: {
        source: nodes.source,
        target: nodes.target,
        ...limits,
        signal: io.signal,
        retrying: (failure, pauseMs) =>
          progress.line(`${failure.message}\nTried again in ${pauseMs / 1000} s`),
      },
      requests,
      journal: values.again ? notes && { ...notes, done: new Map() } : notes,
      atOnce,
      progress: (state) => progress.update((seconds) => progressText(state, seconds)),
    }).finally(() => notes?.close());
    progress.end();
    const seconds = (performance.now() - started) / 1000;
    return await tell(
      results,
      seconds,
      values,
      notes === undefined ? undefined : journalPath(values, path),
      io,
    );
  } finally {
    nodes.close();
  }
}

async function listOf(path: string, io: Io): Promise<readonly Request[]> {
  const bytes = await readBounded(path, MOST_BYTES).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${codeOf(error) ?? String(error)}`);
  });
  const list = readList(bytes);
  const told = list.ok ? list.notices : list.mistakes;
  const lines = told.slice(0, MOST_TOLD).map(({ line, message }) => `${path}:${line}: ${message}`);
  if (told.length > MOST_TOLD) lines.push(`and ${told.length - MOST_TOLD} more`);
  if (!list.ok) throw new UsageError(`the list cannot be used:\n${lines.join('\n')}`);
  if (lines.length > 0) io.err.write(`${lines.join('\n')}\n`);
  return list.requests;
}

/** Both nodes, after they answered. A failure here is before the start. */
async function ready(values: Values, signal: AbortSignal): Promise<Nodes> {
  let nodes: Nodes | undefined;
  try {
    nodes = await nodesOf(values, signal);
    await nodes.source.check(signal);
    await nodes.target?.check(signal);
    return nodes;
  } catch (error) {
    nodes?.close();
    // also for TLS files that cannot be used
    if (error instanceof FailureError) throw new UsageError(`not started: ${error.message}`);
    throw error;
  }
}

const journalPath = (values: Values, list: string): string => values.journal ?? `${list}.journal`;

async function journalOf(values: Values, list: string, nodes: Nodes): Promise<Journal | undefined> {
  if (values.journal === 'none') return undefined;
  const ends = { source: nodes.source.name, target: nodes.aet, unverified: nodes.target === undefined };
  return openJournal(journalPath(values, list), ends);
}

async function tell(
  results: readonly Result[],
  seconds: number,
  values: Values,
  journal: string | undefined,
  io: Io,
): Promise<ExitCode> {
  let report: string | undefined;
  if (values.report !== undefined) {
    report = join(values.report, reportName(Temporal.Now.plainDateTimeISO()));
    await writeFileAtomic(report, csv(results));
  }
  const written = { report, journal };
  if (values.json) io.out.write(`${JSON.stringify(asJson(results, seconds, written), null, 2)}\n`);
  else io.out.write(asText(results, seconds, written));
  const good = results.every(({ rows }) =>
    rows.every(({ status }) => status === 'Complete' || status === 'Unverified'),
  );
  return good ? EXIT.done : EXIT.failed;
}

export const transfer: Command = { help, run };

interface Nodes {
  readonly source: Source;
  readonly target: Target | undefined;
  /** AE title of the target. */
  readonly aet: string;
  readonly close: () => void;
}

/** The nodes that the options name. Throws UsageError, or FailureError if a node or a TLS file cannot be used. */
async function nodesOf(values: Values, signal: AbortSignal): Promise<Nodes> {
  if (values.from === undefined)
    throw new UsageError('--from AET@host:port says which archive has the studies');
  const quietMs = positive('timeout', values.timeout);
  if (values.via !== undefined) return viaNodes(values, values.via, values.from, quietMs, signal);
  const useless = (['orthanc-user', 'orthanc-password-file'] as const).find(
    (name) => values[name] !== undefined,
  );
  if (useless !== undefined) throw new UsageError(`--${useless} goes with --via`);
  const from = address('from', values.from);
  const callingAet = ourAet('calling', values.calling);
  const peer: Peer = {
    host: from.host,
    port: from.port,
    calledAet: from.aet,
    callingAet,
    ...(await dialOf(values)),
  };
  const { aet, target } = await targetOf(values, callingAet);
  return {
    source: dicomSource({ peer, destination: aet, quietMs }),
    target,
    aet,
    close: () => undefined,
  };
}

/** With an AE title alone, only the archive knows the target, which then cannot be queried. */
async function targetOf(
  values: Values,
  callingAet: string,
): Promise<{ readonly aet: string; readonly target: Target | undefined }> {
  const { to } = values;
  if (to === undefined)
    throw new UsageError(
      '--to AET@host:port says where the images go, by the AE title that the archive knows',
    );
  if (/^[^@:\\\p{C}]{1,16}$/u.test(to)) {
    if (values['to-tls']) throw new UsageError('--to-tls goes with --to AET@host:port');
    return { aet: to, target: undefined };
  }
  const { aet, host, port } = address('to', to);
  const dial = values['to-tls'] ? await dialOf({ ...values, tls: true, 'tls-name': undefined }) : {};
  return { aet, target: dicomTarget({ host, port, calledAet: aet, callingAet, ...dial }) };
}

async function viaNodes(
  values: Values,
  url: string,
  modality: string,
  quietMs: number,
  signal: AbortSignal,
): Promise<Nodes> {
  requireHttp('via', url, 8042);
  if (/[@:]/.test(modality))
    throw new UsageError('with --via, --from takes the name that the archive has in that Orthanc');
  if (values.tls || values['to-tls'])
    throw new UsageError('with --via, Orthanc speaks DICOM: TLS is for its own configuration');
  const client = orthancClient({ url, ...(await orthancLogin(values)) });
  try {
    const system = (await client.json('/system', signal)) as Readonly<Record<string, unknown>>;
    const aet = String(system['DicomAet']);
    if (values.to !== undefined && values.to !== aet)
      throw new UsageError(
        `with --via, the target is that Orthanc, whose AE title is ${aet}; leave --to out`,
      );
    const source = viaSource({ client, modality, aet, quietMs });
    return { source, target: viaTarget(client, aet), aet, close: () => client.close() };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** `scanflow send`: DICOM files, folders and archives to another DICOM node. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isTagText, type PrivateTag } from '@scanflow/dicom/file';
import type { Peer } from '@scanflow/dimse';
import { countFiles, lookAt, sendAll, type Input, type Notes, type Tally } from '@scanflow/transfer/send';
import {
  EXIT,
  UsageError,
  type Command,
  type ExitCode,
  type Io,
  address,
  CALLING,
  callingOf,
  dialOf,
  duration,
  positive,
  readArgs,
  TLS_OPTIONS,
  wholeNumber,
} from '../command.ts';
import { asJson, asText, csv, progressText, reportName, reportRows } from '../transfer/send-report.ts';
import { Progress } from '../terminal.ts';

const help = `Usage: scanflow send [FILE|FOLDER|ZIP|TAR|TGZ …] --to AET@host:port [--calling AET] [OPTION …]
       scanflow send --orthanc-study ID --to AET@host:port [--orthanc URL | --config FILE] [OPTION …]

Sends DICOM images to another DICOM node by C-STORE. Every byte stays as it is, except for a private tag that marks sent
images. Folders and archives are read, also archives in folders; files that are not DICOM are skipped and counted.
After an interruption or a failure, run the same command again: it continues where it stopped.

  --to AET@host:port  address of the receiving node
  --calling AET       our AE title (default SCANFLOW)
  --tag none          sends the files exactly as they are
  --tag-group GGGG    group of the private tag (default 0021)
  --tag-creator TEXT  its private creator (default SCANFLOW)
  --tag-value TEXT    its value (default "DICOM send")
  --associations N    associations at the same time (1 to 16; default 1)
  --retry-time TIME   how long to retry while nothing succeeds, as 90s, 5m or 2h (default 2m; 0s: no retry)
  --timeout TIME      longest wait for the answer to an image (default 60s)
  --journal FILE      file that records what was sent (default: one per command, until all is sent; none: no journal)
  --again             also sends what the journal lists as sent
  --report FOLDER     also writes the report into this folder, as CSV
  --json              prints the report as JSON
  --orthanc-study ID, --orthanc-series ID   sends a study or series of Orthanc, by Orthanc's identifier or by UID; may be repeated
  --orthanc URL       address of Orthanc, such as http://127.0.0.1:8042
  --orthanc-user NAME, --orthanc-password-file FILE   user and password for Orthanc
  --config FILE       takes address, user and password of Orthanc from scanflow.yaml (default in a container: /etc/scanflow/scanflow.yaml)
  --tls               uses TLS; checks the node's certificate against the authorities that Node.js trusts
  --tls-ca FILE       checks it against these authorities instead (PEM)
  --tls-cert FILE, --tls-key FILE   our certificate and key (PEM), if the node requires them
  --tls-profile NAME  bcp195 (default) or bcp195-nondowngrading
  --tls-name NAME     name in the node's certificate, if it differs from the host

Exit codes: 0 every image was sent; 1 some were not; 2 not started, or nothing to send.

Example:  npx scanflow send /data/sub-01/ses-01 --to PACS@pacs.example.org:11112 --report /data/reports
          npx scanflow send export.zip --to PACS@127.0.0.1:11112 --tag none
          npx scanflow send --orthanc-study 1.2.3.4 --config scanflow.yaml --to PACS@pacs.example.org:11112
`;

const OPTIONS = {
  to: { type: 'string' },
  ...CALLING,
  from: { type: 'string' },
  tag: { type: 'string' },
  'tag-group': { type: 'string' },
  'tag-creator': { type: 'string' },
  'tag-value': { type: 'string' },
  associations: { type: 'string' },
  'retry-time': { type: 'string', default: '2m' },
  timeout: { type: 'string', default: '60s' },
  journal: { type: 'string' },
  again: { type: 'boolean', default: false },
  report: { type: 'string' },
  json: { type: 'boolean', default: false },
  'orthanc-study': { type: 'string', multiple: true },
  'orthanc-series': { type: 'string', multiple: true },
  orthanc: { type: 'string' },
  'orthanc-user': { type: 'string' },
  'orthanc-password-file': { type: 'string' },
  config: { type: 'string' },
  ...TLS_OPTIONS,
} as const;

type Values = ReturnType<typeof readArgs<typeof OPTIONS>>['values'];

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, Infinity);
  const remote = values['orthanc-study'] !== undefined || values['orthanc-series'] !== undefined;
  if (positionals.length === 0 && !remote)
    throw new UsageError('send takes what to send: scanflow send FOLDER --to …');
  const peer = await peerOf(values, io);
  const tag = tagOf(values);
  const associations = wholeNumber('associations', values.associations, { min: 1, max: 16, otherwise: 1 });
  const retryMs = duration('retry-time', values['retry-time']);
  const inputs = [...lookAt(positionals), ...(await inOrthanc(values, remote, io.signal))];
  // fails now, not after an hour
  if (values.report !== undefined) await mkdir(values.report, { recursive: true });
  const notes = await notesOf(values, positionals, io);
  const started = performance.now();
  const progress = new Progress(io);
  const total = io.terminal ? countFiles(inputs) : undefined;
  const tally = await sendAll({
    inputs,
    peer,
    tag,
    associations,
    retryMs,
    signal: io.signal,
    notes,
    progress: (now) => progress.update((seconds) => progressText(now, total, seconds)),
    retrying: (files, pauseMs, why) => progress.line(`${why}\n${goesOn(files, pauseMs)}`),
  });
  if ([...tally.failures.values()].some(({ notNegotiated }) => notNegotiated !== undefined))
    // loaded only when it is needed
    await (await import('@scanflow/transfer/send/tally')).advise(tally, peer, io.signal);
  progress.end();
  const seconds = (performance.now() - started) / 1000;
  const written = {
    report: values.report === undefined ? undefined : await writeReport(values.report, tally),
    journal: await closed(notes, tally, io),
  };
  if (values.json) io.out.write(`${JSON.stringify(asJson(tally, seconds, written), null, 2)}\n`);
  else io.out.write(asText(tally, seconds, written));
  return exitCode(tally);
}

const goesOn = (files: number, pauseMs: number): string =>
  pauseMs === 0
    ? `${files} images that were not begun go on at once`
    : `${files} images are tried again in ${pauseMs / 1000} s`;

/** The journal. Its module is loaded only if there is one: OpenSSL takes 10 ms. */
async function notesOf(
  values: Values,
  positionals: readonly string[],
  { stateFolder }: Io,
): Promise<Notes | undefined> {
  const { to = '', journal, again } = values;
  if (journal === 'none' || (journal ?? stateFolder) === undefined) return undefined;
  const { openNotes, namedPlace, placeOf } = await import('@scanflow/transfer/send/notes');
  const tag = ['tag', 'tag-group', 'tag-creator', 'tag-value'] as const;
  const destination = [to, ...tag.map((name) => values[name] ?? '')].join(' ').trim();
  const inputs = positionals.map((name) => resolve(name));
  const remote = [
    values.orthanc ?? '',
    ...(values['orthanc-study'] ?? []),
    ...(values['orthanc-series'] ?? []),
  ];
  const place =
    journal === undefined
      ? placeOf(stateFolder ?? '', [destination, ...inputs.toSorted(), ...remote])
      : namedPlace(journal);
  return openNotes({ place, destination, again });
}

/** The journal for the next run; undefined if there is nothing to continue. */
async function closed(notes: Notes | undefined, tally: Tally, { err }: Io): Promise<string | undefined> {
  if (notes === undefined) return undefined;
  const trouble = await notes.close(tally.failures.size === 0 && tally.troubles.size === 0);
  if (trouble === undefined) return notes.isKept() ? notes.path : undefined;
  err.write(
    `The journal ${notes.path} cannot be written (${trouble}): the next run sends everything anew.\n`,
  );
  return undefined;
}

/** Images of Orthanc. Their module is loaded only with these options. */
async function inOrthanc(values: Values, wanted: boolean, signal: AbortSignal): Promise<Input[]> {
  if (wanted) return (await import('../transfer/orthanc.ts')).namedInOrthanc(values, signal);
  const useless = (['orthanc', 'orthanc-user', 'orthanc-password-file', 'config'] as const).find(
    (name) => values[name] !== undefined,
  );
  if (useless === undefined) return [];
  throw new UsageError(`--${useless} goes with --orthanc-study or --orthanc-series`);
}

function exitCode({ attempted, earlier, failures, troubles }: Tally): ExitCode {
  if (failures.size > 0 || troubles.size > 0) return EXIT.failed;
  return attempted + earlier === 0 ? EXIT.notStarted : EXIT.done;
}

async function writeReport(folder: string, tally: Tally): Promise<string> {
  const { writeFileAtomic } = await import('@scanflow/runtime/files');
  const path = join(folder, reportName(tally.series, Temporal.Now.plainDateTimeISO()));
  await writeFileAtomic(path, csv(reportRows(tally)));
  return path;
}

/** The receiving node. Throws UsageError, or FailureError if the TLS files cannot be used. */
async function peerOf(values: Values, io: Pick<Io, 'err'>): Promise<Peer> {
  if (values.to === undefined) throw new UsageError('--to AET@host:port says where to send');
  const { host, port, aet } = address('to', values.to);
  const dial = await dialOf(values);
  const callingAet = callingOf(values, { name: 'from', text: values.from }, io);
  return {
    host,
    port,
    calledAet: aet,
    callingAet,
    timeouts: { response: positive('timeout', values.timeout) },
    ...dial,
  };
}

/** The private tag; undefined: none. */
function tagOf(values: Values): PrivateTag | undefined {
  if (values.tag === 'none') {
    const useless = (['tag-group', 'tag-creator', 'tag-value'] as const).find(
      (name) => values[name] !== undefined,
    );
    if (useless !== undefined) throw new UsageError(`--${useless} does not go with --tag none`);
    return undefined;
  }
  if (values.tag !== undefined) throw new UsageError(`--tag takes none, not ${values.tag}`);
  const group = values['tag-group'] ?? '0021';
  const creator = values['tag-creator'] ?? 'SCANFLOW';
  const value = values['tag-value'] ?? 'DICOM send';
  const number = /^[0-9a-f]{4}$/i.test(group) ? Number.parseInt(group, 16) : 0;
  if (number % 2 === 0 || number < 9 || number === 0xffff)
    throw new UsageError(`--tag-group takes four hexadecimal digits, odd, from 0009 to FFFD, not ${group}`);
  for (const [name, text] of Object.entries({ 'tag-creator': creator, 'tag-value': value }))
    if (!isTagText('LO', text))
      throw new UsageError(
        `--${name} takes 1 to 64 characters of ASCII without \\, and no space at either end`,
      );
  return { group: number, creator, element: 0x10, vr: 'LO', value };
}

export const send: Command = { help, run };

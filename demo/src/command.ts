/** `scanflow demo`: plays imaging sessions through the whole dataflow and verifies every image at both ends. */
import type { Config } from '@scanflow/config';
import { tokenFileOf } from '@scanflow/runtime';
import { apiAt, CONFIG, requireConfig } from '@scanflow/cli/installation';
import {
  address,
  EXIT,
  readArgs,
  UsageError,
  wholeNumber,
  type Command,
  type ExitCode,
  type Io,
} from '@scanflow/cli/command';
import { demoTag } from './config.ts';
import { playDay } from './play.ts';
import type { BidsSeen } from './bids.ts';
import { createShow, type Show } from '@scanflow/cli/terminal';
import type { LocalStack } from './local.ts';
import type { Day, Stack } from './stack.ts';
import { resultTable, type SessionResult } from './verify.ts';

const help = `Usage: scanflow demo [--scanners N] [--sessions N] [--images N] [--bids] [--folder FOLDER] [--keep] [--json]
       scanflow demo --worklist AET@host:port --dicom AET@host:port --streamer URL
                     --project FOLDER --pacs FOLDER [--config FILE] [--sessions N] [--images N] [--json]

Plays imaging sessions: bookings of today -> worklist -> C-FIND by the scanner -> its exam reported by MPPS -> a phantom
series sent by C-STORE to Orthanc -> tagged, stored in project storage, forwarded to a second DICOM node. Ends with a table; exits 0 only if every
image was compared with what the scanner sent, at both ends.

Without --worklist it starts everything itself: cal2wl, worklist SCP, Orthanc, streamer and a research PACS, on free ports of
this machine's loopback and in a folder of its own. Ctrl-C stops everything and leaves nothing behind.
With --worklist and the other addresses it plays against a running stack, as compose.demo.yaml does.

  --scanners N   scanners at the same time (1 to 8; default 1)
  --sessions N   sessions per scanner (1 to 24; default 1)
  --images N     images per series (1 to 5000; default 20)
  --bids         MR scanners scan whole sessions by ReproIn's names, which become BIDS; shows the verdict and the dataset.
                 Needs dcm2niix and the validator. The exit code is 0 only if each session is valid
  --folder DIR   folder to work in, which is kept (default: a new one in the temporary folder)
  --keep         leaves everything running after the table, until Ctrl-C; prints the address of the day board and a
                 one-time link to sign in, before it plays
  --json         prints the results as JSON instead of the table, with --bids as {"images": […], "bids": […]}; with
                 --keep, one line when everything is up:
                 {"board": address, "services": {name: address}, "signIn": one-time link}

Example:  npx scanflow demo --scanners 3 --sessions 5 --images 200
`;

const OPTIONS = {
  scanners: { type: 'string' },
  sessions: { type: 'string' },
  images: { type: 'string' },
  folder: { type: 'string' },
  keep: { type: 'boolean', default: false },
  bids: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  worklist: { type: 'string' },
  dicom: { type: 'string' },
  streamer: { type: 'string' },
  project: { type: 'string' },
  pacs: { type: 'string' },
  ...CONFIG,
} as const;

type Values = ReturnType<typeof readArgs<typeof OPTIONS>>['values'];

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = readArgs(args, OPTIONS);
  const day: Day = {
    sessions: wholeNumber('sessions', values.sessions, { min: 1, max: 24, otherwise: 1 }),
    images: wholeNumber('images', values.images, { min: 1, max: 5000, otherwise: 20 }),
  };
  if (values.bids && values.worklist !== undefined)
    throw new UsageError('--bids plays here alone: leave --worklist and the other addresses out');
  const show = createShow(io);
  return values.worklist === undefined
    ? playHere(values, day, show, io)
    : report(await playDay(await runningStack(values), day, show, io.signal), values.json, show, io);
}

async function playHere(values: Values, day: Day, show: Show, io: Io): Promise<ExitCode> {
  const scanners = wholeNumber('scanners', values.scanners, { min: 1, max: 8, otherwise: 1 });
  const { startLocal, requireBids, seeBids } = await parts();
  const { bids, folder } = values;
  if (bids) requireBids();
  const local = await startLocal({ scanners, day, folder, bids }, show, io.signal);
  let keepFolder = values.folder !== undefined;
  try {
    const signIn = values.keep ? await local.invite() : '';
    if (values.keep) sayReady(local, signIn, values.json, show, io);
    const results = await playDay(local.stack, day, show, io.signal);
    // with both, a program reads the line alone
    const seen = bids ? await seeBids(local.stack, results, show, io.signal) : undefined;
    const to = values.keep && values.json ? { ...io, out: io.err } : io;
    const code = report(results, values.json, show, to, seen);
    for (const [what, where] of local.places) io.err.write(`  ${what.padEnd(18)} ${where}\n`);
    if (values.keep) {
      io.err.write(`\nSign in to the day board, once, by this link: ${signIn}\n`);
      io.err.write('\nEverything keeps running. Ctrl-C stops it and leaves nothing behind.\n');
      await untilAborted(io.signal);
    } else {
      keepFolder = true;
    }
    return code;
  } catch (error) {
    if (!io.signal.aborted) throw error;
    return EXIT.failed;
  } finally {
    await local.stop({ keepFolder });
    if (io.signal.aborted) io.err.write(`\nStopped${keepFolder ? '' : '; nothing is left behind'}.\n`);
  }
}

/** Loaded only here: the peers that it starts are no part of the container images. */
async function parts() {
  try {
    return { ...(await import('./local.ts')), ...(await import('./bids.ts')) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')
      throw new UsageError(
        'in a container the demo needs --worklist and the others; compose.demo.yaml gives them',
      );
    throw error;
  }
}

/** Everything is up, and nothing is played yet: from here on the journeys move. */
function sayReady({ board, services }: LocalStack, signIn: string, json: boolean, show: Show, io: Io): void {
  if (json) io.out.write(`${JSON.stringify({ board, services, signIn })}\n`);
  show.heading(`Everything is up: the day board is at ${board}`);
  show.step('sign in, once, by this link', signIn);
}

async function runningStack(values: Values): Promise<Stack> {
  const given = (name: 'worklist' | 'dicom' | 'streamer' | 'project' | 'pacs'): string => {
    const value = values[name];
    if (value === undefined) throw new UsageError(`--${name} is missing (see scanflow demo --help)`);
    return value;
  };
  const config = await requireConfig(values.config);
  const { scanners, calendars, facility } = config;
  const booked = new Set(Object.values(calendars).flatMap(({ scanner }) => scannersOf(scanner)));
  return {
    scanners: Object.entries(scanners)
      .filter(([name]) => booked.has(name))
      .map(([name, { aet, modality }]) => ({ name, aet, modality })),
    timezone: facility.timezone,
    worklist: address('worklist', given('worklist')),
    receiver: address('dicom', given('dicom')),
    streamer: await apiAt(given('streamer'), tokenFileOf(config)),
    projectRoot: given('project'),
    pacsFolder: given('pacs'),
    tag: demoTag(config),
  };
}

const scannersOf = (scanner: Config['calendars'][string]['scanner']): readonly string[] =>
  typeof scanner === 'string' ? [scanner] : Object.values(scanner.map);

function report(
  results: readonly SessionResult[],
  json: boolean,
  show: Show,
  io: Io,
  bids?: BidsSeen,
): ExitCode {
  const good = results.length > 0 && results.every(({ problems }) => problems.length === 0);
  const told = bids === undefined ? results : { images: results, bids: bids.sessions };
  if (json) io.out.write(`${JSON.stringify(told, null, 2)}\n`);
  else io.out.write(`\n${resultTable(results)}\n${bids === undefined ? '' : `${bids.text}\n`}`);
  if (good) show.step('Every image is verified at both ends.');
  else show.problem('Not every image could be verified at both ends.');
  if (bids?.good === true) show.step('Every session is valid BIDS.');
  if (bids?.good === false) show.problem('Not every session became valid BIDS.');
  return good && bids?.good !== false ? EXIT.done : EXIT.failed;
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    // a timer keeps the process alive while nothing else does
    const alive = setInterval(() => undefined, 60_000);
    signal.addEventListener('abort', () => {
      clearInterval(alive);
      done();
    });
  });

export const demo: Command = { help, run };

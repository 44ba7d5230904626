/** `scanflow`: finds the command, gives it the process, and turns its end into an exit code. */
import '@scanflow/runtime/memory';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { codeOf, InputError, messageOf } from '@scanflow/failure';
import { outputTo } from './terminal.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io } from './command.ts';
import manifest from '../package.json' with { type: 'json' };

interface Entry {
  readonly summary: string;
  /** Loads a command only when it is called: DICOM's dictionary alone takes a moment. */
  readonly load: () => Promise<Command>;
}

const commands: Readonly<Record<string, Entry>> = {
  demo: {
    summary: 'plays imaging sessions through the whole dataflow',
    load: loadDemo,
  },
  check: {
    summary: 'checks a configuration',
    load: async () => (await import('./commands/check.ts')).check,
  },
  bookings: {
    summary: 'shows what a calendar becomes, without writing anything',
    load: async () => (await import('./commands/bookings.ts')).bookings,
  },
  calendars: {
    summary: 'shows the state of each calendar, and accepts what one of them lost',
    load: async () => (await import('./commands/calendars.ts')).calendars,
  },
  phantom: {
    summary: 'makes a DICOM series from thin air',
    load: async () => (await import('./commands/phantom.ts')).phantom,
  },
  send: {
    summary: 'sends DICOM files, folders and archives to another DICOM node',
    load: async () => (await import('./commands/send.ts')).send,
  },
  transfer: {
    summary: 'makes an archive send the studies of a list to another DICOM node',
    load: async () => (await import('./commands/transfer.ts')).transfer,
  },
  tag: {
    summary: 'adds the private tag to one file',
    load: async () => (await import('./commands/tag.ts')).tag,
  },
  find: {
    summary: 'finds bookings, items, exams and series by what you know of them',
    load: async () => (await import('./commands/find.ts')).find,
  },
  series: {
    summary: 'shows where images are; releases, moves and retries series',
    load: async () => (await import('./commands/series.ts')).series,
  },
  destination: {
    summary: 'shows, pauses and resumes destinations',
    load: async () => (await import('./commands/destination.ts')).destination,
  },
  bids: {
    summary: 'shows what sessions become in BIDS, and converts them again',
    load: async () => (await import('./commands/bids.ts')).bids,
  },
  erase: {
    summary: 'erases a subject who withdrew consent',
    load: async () => (await import('./commands/erase.ts')).erase,
  },
  backup: {
    summary: 'saves ledger, bookings, exams and configuration, while everything runs',
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  restore: {
    summary: 'restores a backup',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  storage: {
    summary: 'shows the roots of project storage, and accepts one that is refused',
    load: async () => (await import('./commands/storage.ts')).storage,
  },
  ledger: {
    summary: "rebuilds the streamer's ledger after a loss",
    load: async () => (await import('./commands/storage.ts')).ledger,
  },
  orthanc: {
    summary: "finds images that Orthanc's index forgot, and gives them back to Orthanc",
    load: async () => (await import('./commands/orthanc.ts')).orthanc,
  },
  page: {
    summary: 'shows a page of a service',
    load: async () => (await import('./commands/page.ts')).page,
  },
  worklist: {
    summary: "explains why an item is not on a scanner's list",
    load: async () => (await import('./commands/worklist.ts')).worklist,
  },
  verify: {
    summary: 'reads stored files again, compares them, and repairs them',
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  doctor: {
    summary: 'finds what is wrong with this installation, and what to do',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  user: {
    summary: 'shows and changes who may sign in to the day board',
    load: async () => (await import('./commands/user.ts')).user,
  },
  notify: {
    summary: 'sends a test notice, and shows what was told',
    load: async () => (await import('./commands/notify.ts')).notify,
  },
  console: {
    summary: 'makes and revokes the links of scanner consoles of the day board',
    load: async () => (await import('./commands/user.ts')).consoleCommand,
  },
  secrets: {
    summary: "creates the stack's passwords, once",
    load: async () => (await import('./commands/secrets.ts')).secrets,
  },
};

/** The demo is a workspace of its own. The images of the services lack it. */
async function loadDemo(): Promise<Command> {
  try {
    return (await import('@scanflow/demo')).demo;
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND' || !messageOf(error).includes("'@scanflow/demo'"))
      throw error;
    throw new UsageError(
      'the demo is not installed here: run npm run demo in a checkout, or compose.demo.yaml for containers',
    );
  }
}

const overview = (): string =>
  [
    'scanflow: from a booking in a calendar to images on project storage',
    '',
    'Usage: scanflow COMMAND [OPTION …]      More: scanflow COMMAND --help      Version: scanflow --version',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(13)}${summary}`),
    '',
    'Exit codes: 0 done, 1 done in part or failed, 2 not started (usage, configuration, input)',
    '',
  ].join('\n');

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [name, ...args] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out.write(overview());
    return name === undefined ? EXIT.notStarted : EXIT.done;
  }
  if (name === '--version') {
    io.out.write(`scanflow ${manifest.version}\n`);
    return EXIT.done;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) throw new UsageError(`there is no command ${name}`);
  const command = await entry.load();
  if (args.includes('--help') || args.includes('-h')) {
    io.out.write(command.help);
    return EXIT.done;
  }
  return command.run(args, io);
}

const stop = new AbortController();
/** Longest wait after the end for anything that hangs, such as a network drive. */
const LINGER_MS = 5_000;
/** npm repeats a Ctrl-C that the terminal has sent to every process: a signal so soon is the same one. */
const SAME_MS = 2000;
let asked = Infinity;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (performance.now() - asked > SAME_MS) process.exit(EXIT.failed);
    asked = Math.min(asked, performance.now());
    stop.abort(new Error(`stopped by ${signal}`));
  });

// a reader such as head may end early: the work goes on, and ends with its own exit code
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

const io: Io = {
  out: outputTo(process.stdout),
  err: outputTo(process.stderr),
  terminal: process.stderr.isTTY,
  columns: process.stderr.columns || 80,
  service: process.env['SERVICE'],
  // XDG Base Directory Specification
  stateFolder: join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'scanflow'),
  signal: stop.signal,
};

try {
  process.exitCode = await run(process.argv.slice(2), io);
} catch (error) {
  const message = messageOf(error);
  io.err.write(`scanflow: ${message}\n`);
  if (error instanceof InputError) io.err.write('Try: scanflow --help\n');
  process.exitCode = error instanceof InputError ? EXIT.notStarted : EXIT.failed;
}
setTimeout(() => process.exit(), LINGER_MS).unref();

/** `scanflow worklist explain`: why is an item not on the scanner's list? */
import { askPage, notAdmitted, openApi, type Api, CONFIG, openConfig } from '../installation.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';
import { localTime } from '@scanflow/runtime/time';
import { plain } from '../terminal.ts';

const help = `Usage: scanflow worklist explain ACCESSION --scanner NAME [--key KEY=VALUE …] [--json] [--config FILE]

Explains why an item is not on a scanner's list, or confirms that it is. Without --key it judges the scanner's last query:
press "refresh" at the console first.

  ACCESSION        the accession number, as in /api/worklist and bookings/
  --scanner NAME   the scanner by its name in the configuration, or an AE title
  --key KEY=VALUE  a query key in findscu's notation: ScheduledProcedureStepSequence.Modality=MR
  --json           prints JSON
  --config FILE    the configuration of the worklist service (default /etc/scanflow/scanflow.yaml)

It shows values of keys only if they identify nobody: stations, days, times, modality.

Example:  docker compose exec worklist scanflow worklist explain 4K2M7Q9X --scanner prisma
Exit:     0 it is in the list, 1 it is not, or the service does not answer, 2 not started (usage, configuration)
`;

const OPTIONS = {
  scanner: { type: 'string' },
  key: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
  ...CONFIG,
} as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 2);
  const [action, accession] = positionals;
  const { scanner, key: keys = [], json, config: file } = values;
  if (action !== 'explain' || accession === undefined || scanner === undefined)
    throw new UsageError('worklist takes explain, an accession number, and --scanner NAME');
  const config = await openConfig(file);
  const api = await openApi(config, 'worklist');
  const explained = await askExplanation(api, { accession, scanner, keys }, io.signal);
  if ('wrong' in explained) throw new UsageError(explained.wrong);
  if ('trouble' in explained) {
    io.err.write(`scanflow: ${explained.trouble}\n`);
    return EXIT.failed;
  }
  io.out.write(
    json ? `${JSON.stringify(explained, null, 2)}\n` : explanationPage(explained, config.facility.timezone),
  );
  return explained.listed ? EXIT.done : EXIT.failed;
}

interface Explanation {
  readonly accessionNumber: string;
  readonly callingAet: string;
  readonly listed: boolean;
  readonly query: {
    readonly from: 'last' | 'given' | 'none';
    readonly at?: string;
    readonly keys: readonly string[];
    readonly values: Readonly<Record<string, string>>;
  };
  readonly reasons: readonly { readonly code: string; readonly text: string }[];
  readonly notes: readonly string[];
}

interface Wanted {
  readonly accession: string;
  readonly scanner: string;
  readonly keys: readonly string[];
}

const TIMEOUT_MS = 30_000;

/** `wrong`: the query has a mistake. `trouble`: the service does not answer, or not as it should. */
async function askExplanation(
  api: Api,
  { accession, scanner, keys }: Wanted,
  signal: AbortSignal,
): Promise<Explanation | { readonly wrong: string } | { readonly trouble: string }> {
  const query = new URLSearchParams({ accession, scanner });
  for (const key of keys) query.append('key', key);
  const url = `${api.url}/api/worklist/explain?${query.toString()}`;
  const page = await askPage(url, signal, { ...api, timeoutMs: TIMEOUT_MS });
  if ('status' in page) {
    const { status, body } = page;
    if (status === 401) return { trouble: notAdmitted(api) };
    if (status === 400 && typeof body['error'] === 'string') return { wrong: body['error'] };
    if (status === 200 && 'reasons' in body) return body as unknown as Explanation;
  }
  return {
    trouble: `the worklist service does not answer at ${api.url}: is it running, and here? In containers: docker compose exec worklist scanflow worklist explain …`,
  };
}

const ORIGIN = {
  last: 'the last query of this scanner',
  given: 'the query that you gave',
  none: 'no query of this scanner is known',
} as const;

/** The answer in the first line, then the reasons, then which query was judged. */
function explanationPage(
  { accessionNumber, callingAet, listed, query, reasons, notes }: Explanation,
  timezone: string,
): string {
  const { from, at, keys, values } = query;
  const asked = keys.map((key) => {
    const value = values[key];
    return `    ${key}${value === undefined ? '' : ` = ${value}`}`;
  });
  const when = at === undefined ? '' : `, ${localTime(at, timezone)}`;
  const lines = [
    `${accessionNumber} ${listed ? 'is' : 'is not'} in the list that ${callingAet} gets`,
    ...reasons.map(({ code, text }) => `  ${code}: ${text}`),
    ...notes.map((note) => `  note: ${note}`),
    `  judged: ${ORIGIN[from]}${when}${keys.length === 0 ? ', which has no key with a value' : ', with'}`,
    ...asked,
  ];
  return `${lines.map(plain).join('\n')}\n`;
}

export const worklist: Command = { help, run };

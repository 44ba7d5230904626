/** What the worklist service says of an item (`/api/worklist/explain`), and the page of it for a person. */
import { notAdmitted, type Api } from '../api.ts';
import { plain } from '../terminal.ts';

export interface Explanation {
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

export interface Wanted {
  readonly accession: string;
  readonly scanner: string;
  readonly keys: readonly string[];
}

const TIMEOUT_MS = 30_000;

/** `wrong`: the service says that it was asked wrongly. `trouble`: it does not answer, or not as it should. */
export async function askExplanation(
  api: Api,
  { accession, scanner, keys }: Wanted,
  signal: AbortSignal,
): Promise<Explanation | { readonly wrong: string } | { readonly trouble: string }> {
  const asked = new URLSearchParams({ accession, scanner });
  for (const key of keys) asked.append('key', key);
  const silent = {
    trouble: `the worklist service does not answer at ${api.url}: is it running, and here? In containers: docker compose exec worklist scanflow worklist explain …`,
  };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const address = `${api.url}/api/worklist/explain?${asked.toString()}`;
    const response = await fetch(address, { signal: limit, headers: api.headers, redirect: 'error' });
    if (response.status === 401) return { trouble: notAdmitted(api) };
    const body = (await response.json()) as Explanation | { readonly error: string };
    if (response.status === 400 && 'error' in body) return { wrong: body.error };
    return response.ok && 'reasons' in body ? body : silent;
  } catch {
    signal.throwIfAborted();
    return silent;
  }
}

const ORIGIN = {
  last: 'the last query of this scanner',
  given: 'the query that you gave',
  none: 'no query of this scanner is known',
} as const;

/** The answer in the first line, then the reasons, then which query was judged. */
export function explanationPage({
  accessionNumber,
  callingAet,
  listed,
  query,
  reasons,
  notes,
}: Explanation): string {
  const { from, at, keys, values } = query;
  const asked = keys.map((key) => {
    const value = values[key];
    return `    ${key}${value === undefined ? '' : ` = ${value}`}`;
  });
  const when = at === undefined ? '' : `, ${at}`;
  const lines = [
    `${accessionNumber} ${listed ? 'is' : 'is not'} in the list that ${callingAet} gets`,
    ...reasons.map(({ code, text }) => `  ${code}: ${text}`),
    ...notes.map((note) => `  note: ${note}`),
    `  judged: ${ORIGIN[from]}${when}${keys.length === 0 ? ', which has no key with a value' : ', with'}`,
    ...asked,
  ];
  return `${lines.map(plain).join('\n')}\n`;
}

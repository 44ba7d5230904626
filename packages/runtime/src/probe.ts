/** A container's health check: `node probe.ts URL` exits 0 when the page answers 200 to 299 within 3 s. */
import { messageOf } from '@scanflow/failure';
const TIME_LIMIT_MS = 3_000;
/** Docker keeps what a health check prints, up to 4096 bytes. */
const SHOWN = 1_000;

async function probe(url: string | undefined): Promise<{ ok: boolean; said: string }> {
  if (url === undefined) return { ok: false, said: 'Usage: node probe.ts URL' };
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIME_LIMIT_MS), redirect: 'error' });
    return { ok: answer.ok, said: `${answer.status} ${await answer.text()}` };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    return { ok: false, said: `${messageOf(error)}${cause}` };
  }
}

const { ok, said } = await probe(process.argv[2]);
process.stdout.write(`${said.slice(0, SHOWN)}\n`);
process.exitCode = ok ? 0 : 1;

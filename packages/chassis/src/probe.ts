/** A container's health check: `node probe.ts URL` exits 0 when the page answers 200 within 3 s. */
const [url] = process.argv.slice(2);
const answer =
  url === undefined
    ? undefined
    : await fetch(url, { signal: AbortSignal.timeout(3000) }).catch(() => undefined);
process.exit(answer?.ok === true ? 0 : 1);

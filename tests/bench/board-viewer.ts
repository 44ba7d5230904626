/** People in front of the board, without a browser: they sign in, follow events, and load the page after each. */
import { PASSWORD } from '../browser/browser.ts';

/** Follows a one-time link; answers the cookie. */
export async function signIn(link: string): Promise<string> {
  const answer = await fetch(link, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ password: PASSWORD }).toString(),
  });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`signing in answered ${answer.status}`);
  return cookie;
}

/** Calls at each event, as a page does: one load at a time, and one more for what came meanwhile. Resolves to what ends it. */
export async function listenTo(
  url: string,
  cookie: string,
  load: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const ending = new AbortController();
  const answer = await fetch(`${url}/events`, {
    headers: { cookie },
    signal: AbortSignal.any([signal, ending.signal]),
  });
  if (answer.status !== 200 || answer.body === null) throw new Error(`/events answered ${answer.status}`);
  const { body } = answer;
  let loading: Promise<void> | undefined;
  let due = 0;
  const changed = async (): Promise<void> => {
    for (let done = 0; done < due;) {
      done = due;
      await load();
    }
    due = 0;
    loading = undefined;
  };
  const reading = (async () => {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>)
      if (Buffer.from(chunk).includes('changed')) {
        due += 1;
        loading ??= changed();
      }
  })().catch(() => undefined);
  return async () => {
    await loading;
    ending.abort();
    await reading;
  };
}

/** Asking a service for a page as the `scanflow` command does: with the internal token of its data folder. */
import { headersOf, tokenFileOf } from '@scanflow/runtime';

/** `data`: the data folder of the service, whose configuration names no `http.tokenFile`. */
export async function apiFetch(data: string, url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  // a service that has not started yet has made none, and does not answer either
  const token = await headersOf(tokenFileOf({ data, http: {} })).catch(() => undefined);
  if (token !== undefined) headers.set('authorization', token.authorization);
  return fetch(url, { ...init, headers });
}

/** Asking services for their pages. */
import type { Config } from '@scanflow/config';
import { codeOf, messageOf } from '@scanflow/failure';
import { notAdmitted, openApi } from '../api.ts';
import type { ServiceName } from './place.ts';

export type Page =
  | {
      readonly status: number;
      readonly body: Readonly<Record<string, unknown>>;
      readonly date: string | undefined;
    }
  | { readonly trouble: string };

/** A page of a service that takes the internal token. Never rejects, save when the signal aborts. */
export async function askApi(
  config: Config,
  service: ServiceName,
  path: string,
  signal: AbortSignal,
): Promise<Page> {
  const api = await openApi(config, service);
  const page = await askPage(`${api.url}${path}`, signal, api.headers);
  return 'status' in page && page.status === 401 ? { trouble: notAdmitted(api) } : page;
}

/** Never rejects, save when the signal aborts. */
export async function askPage(
  url: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<Page> {
  try {
    const response = await fetch(url, { signal, redirect: 'error', headers });
    const body: unknown = await response.json().catch(() => undefined);
    return {
      status: response.status,
      body: typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {},
      date: response.headers.get('date') ?? undefined,
    };
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error ? error.cause : undefined;
    return { trouble: codeOf(cause) ?? messageOf(cause ?? error) };
  }
}

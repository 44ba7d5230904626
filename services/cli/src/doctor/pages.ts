/** Asking services for their pages. */
import { codeOf, messageOf } from '@scanflow/chassis';

export type Page =
  | {
      readonly status: number;
      readonly body: Readonly<Record<string, unknown>>;
      readonly date: string | undefined;
    }
  | { readonly trouble: string };

/** Never rejects, save when the signal aborts. */
export async function askPage(url: string, signal: AbortSignal): Promise<Page> {
  try {
    const response = await fetch(url, { signal, redirect: 'error' });
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

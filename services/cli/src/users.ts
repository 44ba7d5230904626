/** Users and consoles of the day board, by the dashboard's pages for programs. */
import type { Config } from '@scanflow/config';
import { messageOf } from '@scanflow/failure';
import { notAdmitted, openApi } from './installation.ts';

export interface User {
  readonly name: string;
  readonly role: string;
  readonly projects: readonly string[];
  readonly addresses: readonly string[];
  readonly hasPassword: boolean;
  /** The identity provider at which they sign in; absent for one with a password here. */
  readonly issuer?: string;
}

export interface Console {
  /** Of its scanner. */
  readonly name: string;
  /** UTC instants: when its link was made, and when its page was last loaded. */
  readonly made: string;
  readonly seen?: string;
  /** Browsers that have a cookie for it. */
  readonly open: number;
}

interface Answer {
  readonly users?: readonly User[];
  readonly consoles?: readonly Console[];
  /** One-time link. */
  readonly link?: string;
  readonly error?: string;
}

/** The dashboard does not answer, or refuses; the message says what to do. */
export class UserError extends Error {
  override name = 'UserError';
}

const TIMEOUT_MS = 10_000;

/** All users. Throws UserError. */
export const readUsers = async (config: Config, signal: AbortSignal): Promise<readonly User[]> =>
  (await ask(config, '/api/users', {}, signal)).users ?? [];

/** `path`: below /api/users, like `/anna/invite`; empty to add one. Throws UserError. */
export const postUser = (config: Config, path: string, body: object, signal: AbortSignal): Promise<Answer> =>
  ask(config, `/api/users${path}`, { method: 'POST', body: JSON.stringify(body) }, signal);

/** All consoles that have a link. Throws UserError. */
export const readConsoles = async (config: Config, signal: AbortSignal): Promise<readonly Console[]> =>
  (await ask(config, '/api/consoles', {}, signal)).consoles ?? [];

/** Makes or revokes the link of a console; a new link is in the answer. Throws UserError. */
export const postConsole = (
  config: Config,
  name: string,
  action: 'link' | 'revoke',
  signal: AbortSignal,
): Promise<Answer> =>
  ask(config, `/api/consoles/${encodeURIComponent(name)}/${action}`, { method: 'POST', body: '{}' }, signal);

async function ask(
  config: Config,
  path: string,
  request: { readonly method?: string; readonly body?: string },
  signal: AbortSignal,
): Promise<Answer> {
  const api = await openApi(config, 'dashboard');
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const headers = { ...api.headers, 'content-type': 'application/json' };
  let response: Response;
  try {
    response = await fetch(`${api.url}${path}`, { ...request, headers, signal: limit, redirect: 'error' });
  } catch (error) {
    signal.throwIfAborted();
    throw new UserError(
      `the dashboard does not answer at ${api.url} (${messageOf(error)}): is it running, and here? In containers: docker compose exec dashboard scanflow …`,
    );
  }
  if (response.status === 401) throw new UserError(notAdmitted(api));
  const answer = (await response.json().catch(() => ({}))) as Answer;
  if (response.ok) return answer;
  throw new UserError(answer.error ?? `the dashboard answered ${response.status}`);
}

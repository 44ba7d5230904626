/** How a command reaches a service's pages: the address by the configuration, and the internal token. */
import type { Config } from '@scanflow/config';
import { messageOf } from '@scanflow/failure';
import { headersOf, tokenFileOf } from '@scanflow/runtime';

export interface Api {
  /** Without a slash at the end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Why there is no token; worth a word only where the service asks for one. */
  readonly trouble?: string;
}

/** A service's pages as this machine reaches them, by the configuration. */
export const openApi = (config: Config, service: keyof Config['http']['ports']): Promise<Api> =>
  apiAt(addressOfService(config, service), tokenFileOf(config));

export const addressOfService = ({ http }: Config, service: keyof Config['http']['ports']): string =>
  `http://${hostOf(http.bind)}:${http.ports[service]}`;

/** The pages at an address, with the token of a file. */
export async function apiAt(url: string, tokenFile: string | undefined): Promise<Api> {
  const at = url.replace(/\/+$/, '');
  if (tokenFile === undefined) return { url: at, headers: {} };
  try {
    return { url: at, headers: await headersOf(tokenFile) };
  } catch (error) {
    return { url: at, headers: {}, trouble: messageOf(error) };
  }
}

/** What a service says when it wants the token, and what to do. */
export const notAdmitted = ({ url, trouble }: Api): string =>
  trouble ??
  `${url} refuses the internal token. --config names the configuration of the service, and http.tokenFile in it the token`;

/** The address to ask at where something listens on this one. */
export function hostOf(bind: string): string {
  const host = addressOf(bind);
  return host.includes(':') ? `[${host}]` : host;
}

/** The same for a socket. */
export function addressOf(bind: string): string {
  if (bind === '0.0.0.0') return '127.0.0.1';
  return bind === '::' ? '::1' : bind;
}

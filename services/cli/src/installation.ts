/** The installation that a command works with: its configuration and the files that it names, and the pages of its services. */
import { formatIssue, loadConfig, type Config } from '@scanflow/config';
import { codeOf, messageOf } from '@scanflow/failure';
import { headersOf, tokenFileOf } from '@scanflow/runtime';
import { addressOf } from '@scanflow/transfer/doctor/check';
import { UsageError } from './command.ts';

/** Where scanflow.yaml is in a container. */
export const IN_CONTAINER = '/etc/scanflow/scanflow.yaml';

/** The option of commands that need a configuration. */
export const CONFIG = { config: { type: 'string', default: IN_CONTAINER } } as const;

/** Reads a configuration. Throws UsageError with every mistake in it. */
export async function requireConfig(file: string): Promise<Config> {
  const loaded = await loadConfig(file);
  if (loaded.ok) return loaded.config;
  throw new UsageError(loaded.issues.map(formatIssue).join('\n'));
}

/** The same for a command that needs an address: throws UsageError that names `scanflow check`. */
export async function openConfig(file: string): Promise<Config> {
  const loaded = await loadConfig(file);
  if (loaded.ok) return loaded.config;
  throw cannotUse(file);
}

export const cannotUse = (file: string): UsageError =>
  new UsageError(`${file} cannot be used; scanflow check ${file} says why`);

/** A file that the configuration names. */
export interface NamedFile {
  /** Its key, such as `orthanc.passwordFile`. */
  readonly key: string;
  readonly path: string;
  /** `data`: a calendar, or a list of projects. */
  readonly kind: 'secret' | 'key' | 'certificate' | 'data';
}

const KINDS: ReadonlyMap<string, NamedFile['kind']> = new Map([
  ...(['passwordFile', 'tokenFile', 'secretFile', 'proxyPasswordFile', 'urlFile'] as const).map(
    (name) => [name, 'secret'] as const,
  ),
  ['file', 'data'],
]);
const TLS_KINDS: ReadonlyMap<string, NamedFile['kind']> = new Map([
  ['key', 'key'],
  ['certificate', 'certificate'],
  ['ca', 'certificate'],
]);

/** Every file that a configuration names. `path`: where `config` stands in it. Pure. */
export function filesIn(config: unknown, path: readonly string[] = []): NamedFile[] {
  if (typeof config !== 'object' || config === null) return [];
  return Object.entries(config).flatMap(([name, inner]): NamedFile[] => {
    if (typeof inner !== 'string') return filesIn(inner, [...path, name]);
    const kind = KINDS.get(name) ?? (path.at(-1) === 'tls' ? TLS_KINDS.get(name) : undefined);
    return kind === undefined ? [] : [{ key: [...path, name].join('.'), path: inner, kind }];
  });
}

type Service = keyof Config['http']['ports'];

export interface Api {
  /** Without a slash at the end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the facility, as far as a configuration says it. */
  readonly timezone?: string;
  /** Why there is no token. It matters only if the service requires one. */
  readonly trouble?: string;
}

/** The pages of a service as this machine reaches them. */
export const openApi = (config: Config, service: Service): Promise<Api> =>
  apiAt(addressOfService(config, service), tokenFileOf(config));

/**
 * The pages of any service, as this machine or this container reaches it: in a container, the others have their names.
 * @param own the service in whose container this runs
 */
export const openPeer = (
  config: Config,
  service: Exclude<Service, 'dashboard'>,
  own: string | undefined,
): Promise<Api> =>
  apiAt(
    config.dashboard.services[service] ??
      (own === undefined || own === service
        ? addressOfService(config, service)
        : `http://${service}:${config.http.ports[service]}`),
    tokenFileOf(config),
  );

export const addressOfService = ({ http }: Config, service: Service): string =>
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

/** What to say when a service refuses us, and what to do. */
export const notAdmitted = ({ url, trouble }: Api): string =>
  trouble ??
  `${url} refuses the internal token. --config names the configuration of the service, and http.tokenFile in it the token`;

/** The host for a URL of a service that listens on `bind`. */
function hostOf(bind: string): string {
  const host = addressOf(bind);
  return host.includes(':') ? `[${host}]` : host;
}

type Page =
  | { readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly trouble: string };

/** A page that takes the internal token. Rejects only when the signal aborts. */
export async function askApi(
  config: Config,
  service: Service,
  path: string,
  signal: AbortSignal,
): Promise<Page> {
  const api = await openApi(config, service);
  const page = await askPage(`${api.url}${path}`, signal, api);
  return 'status' in page && page.status === 401 ? { trouble: notAdmitted(api) } : page;
}

/** A page, or why nobody answers. Rejects only when the signal aborts. `timeoutMs`: longest wait in milliseconds. */
export async function askPage(
  url: string,
  signal: AbortSignal,
  { headers = {}, timeoutMs }: { readonly headers?: Api['headers']; readonly timeoutMs?: number } = {},
): Promise<Page> {
  const limit = timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await fetch(url, { signal: limit, redirect: 'error', headers });
    const body: unknown = await response.json().catch(() => undefined);
    return {
      status: response.status,
      body: typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {},
    };
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error ? error.cause : undefined;
    return { trouble: codeOf(cause) ?? messageOf(cause ?? error) };
  }
}

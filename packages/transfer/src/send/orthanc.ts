/** `--orthanc-study` and `--orthanc-series`: images that are in an Orthanc, as what is to be sent. */
import { formatIssue, loadConfig } from '@scanflow/config';
import { FailureError, messageOf } from '@scanflow/failure';
import { readSecret } from '@scanflow/runtime';
import { UsageError } from '../command.ts';
import {
  findImages,
  isName,
  openImage,
  orthancClient,
  type Level,
  type OrthancAccess,
  type OrthancClient,
} from '@scanflow/orthanc';
import type { Found } from './found.ts';
import type { OrthancInput } from './inputs.ts';
import type { Values } from './options.ts';

/** Where scanflow.yaml is in a container. */
const IN_CONTAINER = '/etc/scanflow/scanflow.yaml';

/**
 * Looks up what the options name; nothing is pulled yet. Throws UsageError where Orthanc does not have it, refuses us or
 * does not answer: nothing was started then.
 */
export async function orthancInputs(values: Values, signal: AbortSignal): Promise<OrthancInput[]> {
  const named = [
    ...(values['orthanc-study'] ?? []).map((name) => ['study', name] as const),
    ...(values['orthanc-series'] ?? []).map((name) => ['series', name] as const),
  ];
  for (const [level, name] of named)
    if (!isName(name))
      throw new UsageError(`--orthanc-${level} takes an identifier of Orthanc's or a DICOM UID, not ${name}`);
  const client = orthancClient(await accessOf(values));
  try {
    const inputs = await Promise.all(named.map(([level, name]) => inputsOf(client, level, name, signal)));
    return inputs.flat();
  } catch (error) {
    client.close();
    if (error instanceof FailureError) throw new UsageError(error.message);
    throw error;
  }
}

async function inputsOf(
  client: OrthancClient,
  level: Level,
  name: string,
  signal: AbortSignal,
): Promise<OrthancInput[]> {
  const found = await findImages(client, level, name, signal);
  if (found.length === 0) throw new UsageError(`Orthanc at ${client.url} has no ${level} ${name}`);
  return found.map(({ path, series }) => {
    const group = `${client.url}${path}`;
    const images = series.flatMap(({ id: _, instances, updated, ...facts }) =>
      instances.map((id) => {
        const open: Found['open'] = () => openImage(client, id, signal);
        const image: Found = { id: `${client.url}/instances/${id}`, source: group, group, facts, open };
        return { image, version: updated };
      }),
    );
    return { kind: 'orthanc', path: group, images };
  });
}

async function accessOf(values: Values): Promise<OrthancAccess> {
  const {
    orthanc: url,
    'orthanc-user': username,
    'orthanc-password-file': passwordFile,
    config: file,
  } = values;
  if (url === undefined) return configured(file, { username, passwordFile });
  if (file !== undefined) throw new UsageError('--orthanc and --config both say where Orthanc is: give one');
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new UsageError(`--orthanc takes an address like http://127.0.0.1:8042, not ${url}`);
  if ((username === undefined) !== (passwordFile === undefined))
    throw new UsageError('--orthanc-user and --orthanc-password-file go together');
  return { url, username, password: await secret(passwordFile) };
}

async function configured(
  file: string | undefined,
  { username, passwordFile }: { username: string | undefined; passwordFile: string | undefined },
): Promise<OrthancAccess> {
  if (username !== undefined || passwordFile !== undefined)
    throw new UsageError('--orthanc-user and --orthanc-password-file go with --orthanc');
  const loaded = await loadConfig(file ?? IN_CONTAINER);
  if (loaded.ok) {
    const { orthanc } = loaded.config;
    return { ...orthanc, password: await secret(orthanc.passwordFile) };
  }
  throw new UsageError(
    file === undefined
      ? '--orthanc URL or --config FILE says where Orthanc is'
      : loaded.issues.map(formatIssue).join('\n'),
  );
}

async function secret(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readSecret(path).catch((error: unknown) => {
    throw new UsageError(messageOf(error));
  });
}

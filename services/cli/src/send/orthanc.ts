/** `--orthanc-study`, `--orthanc-series` and their companions: images in an Orthanc, as what is to be sent. */
import { formatIssue, loadConfig } from '@scanflow/config';
import { FailureError, messageOf } from '@scanflow/failure';
import type { OrthancAccess } from '@scanflow/orthanc';
import { readSecret } from '@scanflow/runtime/files';
import type { OrthancInput } from '@scanflow/transfer/send';
import { isName, orthancInputs } from '@scanflow/transfer/send/orthanc';
import { UsageError } from '../command.ts';
import type { Values } from './options.ts';

/** Where scanflow.yaml is in a container. */
const IN_CONTAINER = '/etc/scanflow/scanflow.yaml';

/** Looks up what the options name. Throws UsageError, InputError: nothing was started then. */
export async function namedInOrthanc(values: Values, signal: AbortSignal): Promise<OrthancInput[]> {
  const names = [
    ...(values['orthanc-study'] ?? []).map((name) => ({ level: 'study', name }) as const),
    ...(values['orthanc-series'] ?? []).map((name) => ({ level: 'series', name }) as const),
  ];
  for (const { level, name } of names)
    if (!isName(name))
      throw new UsageError(`--orthanc-${level} takes an identifier of Orthanc's or a DICOM UID, not ${name}`);
  try {
    return await orthancInputs(await accessOf(values), names, signal);
  } catch (error) {
    if (error instanceof FailureError) throw new UsageError(error.message);
    throw error;
  }
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

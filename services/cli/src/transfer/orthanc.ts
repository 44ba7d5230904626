/** `--orthanc-study`, `--orthanc-series` and the options of Orthanc: images of an Orthanc as inputs. */
import { formatIssue, loadConfig } from '@scanflow/config';
import { FailureError, messageOf } from '@scanflow/failure';
import type { OrthancAccess } from '@scanflow/orthanc';
import { readSecret } from '@scanflow/runtime/files';
import type { OrthancInput } from '@scanflow/transfer/send';
import { isName, orthancInputs } from '@scanflow/transfer/send/orthanc';
import { UsageError, requireHttp } from '../command.ts';
import { IN_CONTAINER } from '../installation.ts';

/** Options of `scanflow send` about Orthanc. */
interface Values extends OrthancLogin {
  readonly 'orthanc-study'?: readonly string[] | undefined;
  readonly 'orthanc-series'?: readonly string[] | undefined;
  readonly orthanc?: string | undefined;
  readonly config?: string | undefined;
}

/** Looks up what the options name. Throws UsageError or InputError; then nothing was started. */
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
  const { orthanc: url, config: file } = values;
  if (url === undefined) return configured(file, values);
  if (file !== undefined) throw new UsageError('--orthanc and --config both say where Orthanc is: give one');
  requireHttp('orthanc', url, 8042);
  return { url, ...(await orthancLogin(values)) };
}

async function configured(file: string | undefined, login: OrthancLogin): Promise<OrthancAccess> {
  if (login['orthanc-user'] !== undefined || login['orthanc-password-file'] !== undefined)
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

export interface OrthancLogin {
  readonly 'orthanc-user'?: string | undefined;
  readonly 'orthanc-password-file'?: string | undefined;
}

/** User and password of the options. Throws UsageError if one is missing, or the file cannot be read. */
export async function orthancLogin({
  'orthanc-user': username,
  'orthanc-password-file': file,
}: OrthancLogin): Promise<Pick<OrthancAccess, 'username' | 'password'>> {
  if ((username === undefined) !== (file === undefined))
    throw new UsageError('--orthanc-user and --orthanc-password-file go together');
  return { username, password: await secret(file) };
}

async function secret(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readSecret(path).catch((error: unknown) => {
    throw new UsageError(messageOf(error));
  });
}

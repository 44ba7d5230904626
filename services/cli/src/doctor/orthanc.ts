/** Orthanc: does it answer, is the password right, which version is it, and would it lose images? */
import type { Config } from '@scanflow/config';
import { codeOf, FailureError, messageOf } from '@scanflow/failure';
import { readSecret } from '@scanflow/runtime';
import { orthancClient, type OrthancAccess } from '@scanflow/orthanc';
import { failed, failure, ok, type Check, type Finding } from './finding.ts';
import { judgeOrthanc } from './judge-orthanc.ts';
import { sees, type Place } from './place.ts';

export const orthancChecks = (place: Place): Check[] =>
  sees(place, 'streamer') ? [{ name: 'orthanc', run: (signal) => lookAtOrthanc(place, signal) }] : [];

/** How Orthanc is asked. Throws where the password cannot be read. */
export async function accessOf({ orthanc }: Config, timeoutMs: number): Promise<OrthancAccess> {
  const { url, username, passwordFile } = orthanc;
  const password = passwordFile === undefined ? undefined : await readSecret(passwordFile);
  return { url, username, password, idleMs: timeoutMs };
}

/** What Orthanc says of itself. Throws FailureError ORTHANC_…. */
export async function systemOf(
  access: OrthancAccess,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const client = orthancClient(access);
  try {
    const system = await client.json('/system', signal);
    const fields = typeof system === 'object' && system !== null ? (system as Record<string, unknown>) : {};
    return 'DicomAet' in fields ? fields : {};
  } finally {
    client.close();
  }
}

async function lookAtOrthanc({ config, timeoutMs }: Place, signal: AbortSignal): Promise<readonly Finding[]> {
  let access: OrthancAccess;
  try {
    access = await accessOf(config, timeoutMs);
  } catch (error) {
    return [failed(messageOf(error), 'Correct orthanc.passwordFile, or its permissions.')];
  }
  try {
    const system = await systemOf(access, signal);
    const open = access.username !== undefined && (await isOpen(access, signal));
    const findings = judgeOrthanc(system, { open: open || access.username === undefined });
    if (findings.length > 0) return findings;
    return [ok(`${access.url}: version ${String(system['Version'])}, ${await holding(access, signal)}`)];
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const found = failure(error.failure);
    if (!/^(ENOTFOUND|EAI_AGAIN)$/.test(codeOf(error.cause) ?? '')) return [found];
    return [
      failed(
        found.message,
        'Nobody here knows this name. In containers: docker compose exec streamer scanflow doctor; else correct orthanc.url.',
        found.code,
      ),
    ];
  }
}

/** Whether it answers without a password, too. */
async function isOpen({ url, idleMs }: OrthancAccess, signal: AbortSignal): Promise<boolean> {
  try {
    return 'DicomAet' in (await systemOf({ url, idleMs }, signal));
  } catch (error) {
    if (error instanceof FailureError) return false;
    throw error;
  }
}

async function holding(access: OrthancAccess, signal: AbortSignal): Promise<string> {
  const client = orthancClient(access);
  try {
    const said = (await client.json('/statistics', signal)) as Record<string, unknown>;
    return `${String(said['CountInstances'])} images, ${String(said['TotalDiskSizeMB'])} MB`;
  } finally {
    client.close();
  }
}

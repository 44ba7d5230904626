/** Images of an Orthanc as inputs of `sendAll`. */
import { InputError } from '@scanflow/failure';
import {
  findImages,
  openImage,
  orthancClient,
  type Level,
  type OrthancAccess,
  type OrthancClient,
} from '@scanflow/orthanc';
import type { Found } from './found.ts';
import type { OrthancInput } from './inputs.ts';

/** A study or series, by Orthanc's identifier or by UID. */
interface OrthancName {
  readonly level: Level;
  readonly name: string;
}

/** Whether a text can be an identifier of Orthanc or a UID. */
export { isName } from '@scanflow/orthanc';

/**
 * Looks up studies and series. Reads no image yet.
 *
 * @param signal ends the look-up, and later the reading of images
 * @throws InputError if Orthanc does not have one of them
 * @throws FailureError `ORTHANC_…` if it does not answer or refuses the user
 */
export async function orthancInputs(
  access: OrthancAccess,
  names: readonly OrthancName[],
  signal: AbortSignal,
): Promise<OrthancInput[]> {
  const client = orthancClient(access);
  try {
    return (await Promise.all(names.map((name) => inputsOf(client, name, signal)))).flat();
  } catch (error) {
    client.close();
    throw error;
  }
}

async function inputsOf(
  client: OrthancClient,
  { level, name }: OrthancName,
  signal: AbortSignal,
): Promise<OrthancInput[]> {
  const found = await findImages(client, level, name, signal);
  if (found.length === 0) throw new InputError(`Orthanc at ${client.url} has no ${level} ${name}`);
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

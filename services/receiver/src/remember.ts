/** Who sent a series, recorded at Orthanc, where the streamer reads it: Orthanc itself knows only that it was the receiver. */
import type { StoreRequest } from '@scanflow/dimse';
import { METADATA } from '@scanflow/orthanc';
import type { Orthanc } from './adapters/orthanc.ts';
import type { Stored } from './domain/verdict.ts';
import { Turns } from './turns.ts';

/** What stands there is believed for so long: a series may be deleted and come again. */
const BELIEVED_MS = 60_000;

export interface MemorySettings {
  readonly orthanc: Orthanc;
  /** Name in the configuration of the scanner that sends with an AE title. */
  readonly scannerOf: (callingAet: string) => string | undefined;
}

/** False: Orthanc did not take it, and the image must not be acknowledged. */
export function rememberSenders({ orthanc, scannerOf }: MemorySettings) {
  const turns = new Turns();
  const known = new Map<string, { readonly recorded: string; readonly until: number }>();
  const recordedOf = async (series: string, sender: string): Promise<string | undefined> => {
    const now = performance.now();
    for (const [key, { until }] of known) {
      // they stand in the order in which they end
      if (until > now) break;
      known.delete(key);
    }
    const found = known.get(series)?.recorded;
    if (found !== undefined) return found;
    const recorded = await readOrWrite(
      orthanc,
      `/series/${series}/metadata/${METADATA.sender.number}`,
      sender,
    );
    if (recorded !== undefined) known.set(series, { recorded, until: now + BELIEVED_MS });
    return recorded;
  };
  return async ({ series, instance }: Stored, { association }: StoreRequest): Promise<boolean> => {
    const { callingAet: aet, calledAet: called, address } = association;
    const scanner = scannerOf(aet);
    const sender = JSON.stringify({ aet, called, address, ...(scanner === undefined ? {} : { scanner }) });
    const recorded = await turns.take(series, () => recordedOf(series, sender));
    if (recorded === undefined) return false;
    return (
      recorded === sender || put(orthanc, `/instances/${instance}/metadata/${METADATA.sender.number}`, sender)
    );
  };
}

/** What stands there, after writing it where nothing did. Undefined: neither could be done. */
async function readOrWrite(orthanc: Orthanc, path: string, sender: string): Promise<string | undefined> {
  const found = await orthanc.ask('GET', path);
  if (!found.answered) return undefined;
  if (found.status === 200) return found.body.toString('utf8');
  return (await put(orthanc, path, sender)) ? sender : undefined;
}

async function put(orthanc: Orthanc, path: string, text: string): Promise<boolean> {
  const body = Buffer.from(text);
  const answer = await orthanc.ask('PUT', path, { bytes: body.length, content: () => [body] });
  return answer.answered && answer.status === 200;
}

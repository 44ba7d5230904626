/** Who sent a series, recorded at Orthanc for the streamer: Orthanc itself knows only that it was the receiver. */
import { defined } from '@scanflow/booking/defined';
import type { StoreRequest } from '@scanflow/dimse';
import { METADATA } from '@scanflow/orthanc';
import type { Stored } from './domain/orthanc.ts';
import type { Orthanc } from './orthanc.ts';

/** How long a record is cached: a series may be deleted and arrive again. */
const BELIEVED_MS = 60_000;

interface MemorySettings {
  readonly orthanc: Orthanc;
  /** Name in the configuration of the scanner that sends with an AE title. */
  readonly scannerOf: (callingAet: string) => string | undefined;
}

/** Makes the function that records the sender of an image. False: Orthanc did not take it, so the image must fail. */
export function rememberSenders({ orthanc, scannerOf }: MemorySettings) {
  const turns = new Turns();
  const known = new Map<string, { readonly recorded: string; readonly until: number }>();
  const recordedOf = async (series: string, sender: string): Promise<string | undefined> => {
    const now = performance.now();
    for (const [key, { until }] of known) {
      // in the order in which they expire
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
    const sender = JSON.stringify({ aet, called, address, ...defined({ scanner }) });
    const recorded = await turns.take(series, () => recordedOf(series, sender));
    if (recorded === undefined) return false;
    return (
      recorded === sender || put(orthanc, `/instances/${instance}/metadata/${METADATA.sender.number}`, sender)
    );
  };
}

/** The record at Orthanc, which is written if there is none. Undefined: neither worked. */
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

/** Work on one thing at a time, however many want it at once. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work once all earlier work under the same key is over. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work, work);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}

/** TLS towards destinations, as configured; renewed files are used without a restart. */
import type { Config } from '@scanflow/config';
import { openTlsStore, type Log, type TlsTexts } from '@scanflow/runtime';
import { tlsDial, type Dial } from '@scanflow/dimse';

export interface Security {
  /** By the name of the destination; those without TLS have none. */
  readonly dials: ReadonlyMap<string, Dial>;
  readonly close: () => void;
}

/** Throws where a file is missing or cannot be used, with what to do about it. */
export async function openSecurity(destinations: Config['destinations'], log: Log): Promise<Security> {
  const dials = new Map<string, Dial>();
  const ends: (() => void)[] = [];
  for (const [name, { tls, url }] of Object.entries(destinations)) {
    // an address that asks for TLS has it without a word about it
    if (tls === undefined && url?.startsWith('https:') === true)
      dials.set(name, tlsDial({ credentials: () => NONE }));
    if (tls === undefined) continue;
    const { profile, serverName, ...files } = tls;
    const named = { profile, ...(serverName === undefined ? {} : { serverName }) };
    // trying is making a dial of them, which throws where OpenSSL cannot use them
    const use = (texts: TlsTexts): void => void tlsDial({ ...named, credentials: () => texts });
    const store = await openTlsStore(files, { log: log.child({ destination: name }), use });
    dials.set(name, tlsDial({ ...named, credentials: store.current }));
    ends.push(store.close);
  }
  return { dials, close: () => ends.forEach((end) => end()) };
}

const NONE = {};

/** TLS of the board itself: certificates from files, renewed ones without a restart. */
import { createSecureContext } from 'node:tls';
import type { Config } from '@scanflow/config';
import { openTlsStore, type Log, type TlsTexts } from '@scanflow/runtime';

interface Credentials {
  readonly key: string;
  readonly cert: string;
}

export interface BoardTls {
  /** Of the start. */
  readonly credentials: Credentials;
  /** From now on this server uses what is renewed. */
  readonly follow: (server: { setSecureContext(credentials: Credentials): void }) => void;
  readonly close: () => void;
}

/** Throws an Error, which says what to do, where the files are missing or do not belong together. */
export async function openBoardTls(
  files: NonNullable<Config['dashboard']['tls']>,
  log: Log,
  everyMs?: number,
): Promise<BoardTls> {
  let server: Parameters<BoardTls['follow']>[0] | undefined;
  const use = (texts: TlsTexts): void => {
    const credentials = credentialsOf(texts);
    // throws where OpenSSL cannot use them together
    createSecureContext(credentials);
    server?.setSecureContext(credentials);
  };
  const store = await openTlsStore(files, { log, use, ...(everyMs === undefined ? {} : { everyMs }) });
  return {
    credentials: credentialsOf(store.current()),
    follow: (started) => {
      server = started;
      started.setSecureContext(credentialsOf(store.current()));
    },
    close: store.close,
  };
}

const credentialsOf = ({ key = '', certificate = '' }: TlsTexts): Credentials => ({ key, cert: certificate });

/** A mail server for tests: a real SMTP server with STARTTLS or TLS, and a login. It keeps what it took. */
import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { SMTPServer } from 'smtp-server';
import type { Certificate } from '@scanflow/testkit';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Whether the connection was encrypted, and who had logged in. */
  readonly secure: boolean;
  readonly user: string | undefined;
  /** Headers and body as they came. */
  readonly raw: string;
}

export interface MailServer {
  readonly port: number;
  readonly mails: Mail[];
  close(): Promise<void>;
}

export interface MailServerOptions {
  readonly certificate?: Certificate;
  /** TLS from the first byte. */
  readonly tls?: boolean;
  readonly user?: string;
  readonly password?: string;
  /** 0: any. */
  readonly port?: number;
  /** Loopback unless containers are the clients. */
  readonly bind?: string;
  /** Answers a recipient with an error of this SMTP code. */
  readonly refuse?: (address: string) => number | undefined;
  /** Runs once the mail is there whole, and before it is answered. */
  readonly took?: (mail: Mail) => Promise<void> | void;
}

const failed = (code: number): Error =>
  Object.assign(new Error('refused by the test'), { responseCode: code });

export async function startMailServer(t: TestContext, options: MailServerOptions = {}): Promise<MailServer> {
  const { certificate, user, password, tls = false, refuse, took } = options;
  const mails: Mail[] = [];
  const server = new SMTPServer({
    secure: tls,
    ...(certificate === undefined
      ? { disabledCommands: ['STARTTLS'] }
      : { key: await readFile(certificate.key), cert: await readFile(certificate.certificate) }),
    authOptional: user === undefined,
    logger: false,
    onAuth: (auth, _session, done) => {
      if (auth.username === user && auth.password === password) done(null, { user: auth.username });
      else done(failed(535));
    },
    onRcptTo: ({ address }, _session, done) => {
      const code = refuse?.(address);
      if (code === undefined) done();
      else done(failed(code));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const mail: Mail = {
          from: session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address,
          to: session.envelope.rcptTo.map(({ address }) => address),
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : undefined,
          raw: Buffer.concat(chunks).toString(),
        };
        mails.push(mail);
        void Promise.resolve(took?.(mail)).then(() => done());
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) =>
    server.listen(options.port ?? 0, options.bind ?? '127.0.0.1', () => resolve()),
  );
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= new Promise((resolve) => server.close(() => resolve())));
  t.after(close);
  return { port, mails, close };
}

/** Headers of a mail, unfolded; names in small letters. */
export function headersIn({ raw }: Mail): ReadonlyMap<string, string> {
  const [head = ''] = raw.split('\r\n\r\n');
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

/** Certificates for tests of TLS, made with openssl in the folder of the test. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.ts';

/** Paths of PEM files. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

export interface Authority extends Certificate {
  /** A certificate for 127.0.0.1, localhost and `<name>.example.org`; its subject is `O=Example, CN=<name>`. */
  issue(name: string, options?: IssueOptions): Promise<Certificate>;
}

export interface IssueOptions {
  readonly expired?: boolean;
  /** Instead of the names and addresses above, such as `DNS:other.example.org`. */
  readonly names?: string;
}

/** Makes an authority `CN=<name>` in the folder, with files named after it. */
export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const own = await makeSelfSigned(folder, name);
  return { ...own, issue: (subject, options) => issue(folder, name, own, subject, options) };
}

/** Makes a certificate that is its own authority. */
export async function makeSelfSigned(folder: string, name: string): Promise<Certificate> {
  const key = join(folder, `${name}.key`);
  const certificate = join(folder, `${name}.pem`);
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await openssl([
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject],
    ...['-keyout', key, '-out', certificate],
  ]);
  return { key, certificate };
}

async function issue(
  folder: string,
  authority: string,
  ca: Certificate,
  name: string,
  { expired = false, names }: IssueOptions = {},
): Promise<Certificate> {
  const base = join(folder, `${authority}-${name}`);
  const key = `${base}.key`;
  const certificate = `${base}.pem`;
  const alternatives = names ?? `DNS:localhost,DNS:${name}.example.org,IP:127.0.0.1`;
  await writeFile(`${base}.ext`, `basicConstraints=CA:FALSE\nsubjectAltName=${alternatives}\n`);
  const subject = ['-subj', `/O=Example/CN=${name}`];
  await openssl(['req', '-newkey', 'rsa:2048', '-nodes', ...subject, '-keyout', key, '-out', `${base}.csr`]);
  const sign = [
    ...['x509', '-req', '-in', `${base}.csr`, '-CA', ca.certificate, '-CAkey', ca.key, '-CAcreateserial'],
    ...['-extfile', `${base}.ext`, '-out', certificate],
  ];
  if (!expired) await openssl([...sign, '-days', '2']);
  else
    await openssl([...sign, '-days', '-1']).catch(() =>
      // OpenSSL 3.4 and later
      openssl([...sign, '-not_before', '20200101000000Z', '-not_after', '20200201000000Z']),
    );
  return { key, certificate };
}

async function openssl(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run('openssl', args);
  if (code !== 0) throw new Error(`openssl ${args[0] ?? ''} ended with ${String(code)}: ${stderr}`);
}

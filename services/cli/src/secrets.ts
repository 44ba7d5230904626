/** The passwords of the compose stack: made once, at random, and never changed. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFileOnce } from '@scanflow/chassis';

/** Orthanc's user, as scanflow.yaml names it. */
const USER = 'scanflow';
const PASSWORD = 'orthanc-password';

/** Of the users of PostgreSQL (compose.scale.yaml): the streamer's ledger, Orthanc's index. Others do without. */
const DATABASE_PASSWORDS = ['ledger-password', 'orthanc-index-password'];

/** Read-only, for the owner (the services) and the group (Orthanc). */
const MODE = 0o440;
const FOLDER_MODE = 0o750;

/** What is made from the password for those who want it in a form of their own. */
const derived: Readonly<Record<string, (password: string) => string>> = {
  // a fragment of Orthanc's configuration
  'orthanc-users.json': (password) =>
    `${JSON.stringify({ RegisteredUsers: { [USER]: password } }, undefined, 2)}\n`,
  // for curl in Orthanc's health check: a password on a command line would show in the process list
  'orthanc-netrc': (password) => `machine 127.0.0.1 login ${USER} password ${password}\n`,
};

/**
 * Makes in `folder` what is missing: passwords (43 random characters), and from Orthanc's `orthanc-users.json` and
 * `orthanc-netrc`. What exists stays as it is, so it may run at every start.
 * Gives a line for people about each file; no line holds a password. Throws where the folder cannot be written,
 * or where a password that is there cannot be used.
 */
export async function initSecrets(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const report: string[] = [];
  for (const name of [PASSWORD, ...DATABASE_PASSWORDS]) {
    const made = await createFileOnce(join(folder, name), `${randomBytes(32).toString('base64url')}\n`, {
      mode: MODE,
    });
    report.push(`${name}: ${made ? 'made' : 'is there, left as it is'}`);
    usable(await readFile(join(folder, name), 'utf8'), join(folder, name));
  }
  const password = usable(await readFile(join(folder, PASSWORD), 'utf8'), join(folder, PASSWORD));
  for (const [name, content] of Object.entries(derived)) {
    const wanted = content(password);
    if (await createFileOnce(join(folder, name), wanted, { mode: MODE })) report.push(`${name}: made`);
    else if ((await readFile(join(folder, name), 'utf8')).includes(password))
      report.push(`${name}: is there, left as it is`);
    else
      report.push(
        `${name}: is there, left as it is, but does not hold the password of ${PASSWORD}: ` +
          'remove it and run this again',
      );
  }
  return report;
}

/** The password of a file, or the reason why it is none. Blanks and quotes would end a netrc or JSON word early. */
function usable(text: string, path: string): string {
  const password = text.replace(/\r?\n$/, '');
  if (/^[\x21\x23-\x5b\x5d-\x7e]{12,128}$/.test(password)) return password;
  throw new Error(
    `${path} holds no usable password: it takes 12 to 128 ASCII characters without blanks, quotes and backslashes. ` +
      'Put one there, or remove all files of this folder to have them made.',
  );
}

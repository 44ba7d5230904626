/** The installation's ID. The ledger and the data folder both hold it, so that it survives the loss of one. */
import { randomUUID } from 'node:crypto';
import type { KnownRoot, Ledger } from '../ports.ts';
import type { RootIdentity } from './identity.ts';
import { readInstallation, writeInstallation } from './root-file.ts';
import { installationId } from './sql.ts';

export class Installed {
  readonly #folder: string;
  readonly #ledger: Ledger;
  #id: string | undefined;

  constructor(folder: string, ledger: Ledger) {
    this.#folder = folder;
    this.#ledger = ledger;
  }

  /** If the two differ, the ledger wins: several streamers may each have a data folder. */
  async id(): Promise<string> {
    if (this.#id !== undefined) return this.#id;
    const noted = await readInstallation(this.#folder);
    const id = await this.#ledger.write(installationId, noted?.id ?? randomUUID());
    if (noted?.id !== id) await writeInstallation(this.#folder, { id, roots: {} });
    this.#id = id;
    return id;
  }

  is({ ledger }: RootIdentity): boolean {
    return this.#id === ledger;
  }

  /** The roots that a lost ledger knew. Its heartbeats are lost, except that there was one. */
  async known(name: string): Promise<KnownRoot | undefined> {
    const id = (await readInstallation(this.#folder))?.roots[name];
    return id === undefined ? undefined : { id, sequence: 1 };
  }

  async note(name: string, root: string): Promise<void> {
    const id = await this.id();
    const noted = await readInstallation(this.#folder);
    if (noted?.roots[name] === root) return;
    await writeInstallation(this.#folder, { id, roots: { ...noted?.roots, [name]: root } });
  }
}

/** Which installation this is: its id stands in the ledger and in the data folder, so that it outlives either. */
import { randomUUID } from 'node:crypto';
import type { KnownRoot, RootLedger } from '../ports.ts';
import type { RootIdentity } from './identity.ts';
import { readInstallation, writeInstallation } from './root-file.ts';

export class Installed {
  readonly #folder: string;
  readonly #ledger: Pick<RootLedger, 'installation'>;
  #id: string | undefined;

  constructor(folder: string, ledger: Pick<RootLedger, 'installation'>) {
    this.#folder = folder;
    this.#ledger = ledger;
  }

  /** Where the two differ, the ledger is right: several streamers may have data folders of their own. */
  async id(): Promise<string> {
    if (this.#id !== undefined) return this.#id;
    const noted = await readInstallation(this.#folder);
    const id = await this.#ledger.installation(noted?.id ?? randomUUID());
    if (noted?.id !== id) await writeInstallation(this.#folder, { id, roots: {} });
    this.#id = id;
    return id;
  }

  is({ ledger }: RootIdentity): boolean {
    return this.#id === ledger;
  }

  /** What a ledger that was lost knew. Of its heartbeats, only that there was one. */
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

/** The identity file of a root as text: its ID, its owner, and the owner's last heartbeat. */

/** In the root's own folder; hidden, so that people do not stumble over it. */
export const IDENTITY_NAME = '.scanflow-root.json';

/** The owner of a root, for people. */
export interface Owner {
  /** Name of the facility in the configuration. */
  readonly name: string;
  readonly host: string;
  readonly version: string;
}

export interface RootIdentity {
  readonly version: 1;
  /** The root's ID, wherever it is mounted. */
  readonly root: string;
  /** ID of the installation whose ledger describes this root. */
  readonly ledger: string;
  readonly owner: Owner;
  /** Only the number is compared, since two machines' clocks may differ. The time is for people. */
  readonly heartbeat: { readonly sequence: number; readonly at: string };
}

export const identityText = (identity: RootIdentity): string => `${JSON.stringify(identity, null, 1)}\n`;

/** Undefined for what is no identity file of ours. */
export function parseIdentity(text: string): RootIdentity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isIdentity(value) ? value : undefined;
}

function isIdentity(value: unknown): value is RootIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { version, root, ledger, owner, heartbeat } = value as Partial<Record<keyof RootIdentity, unknown>>;
  return (
    version === 1 &&
    [root, ledger].every((id) => typeof id === 'string' && id !== '') &&
    hasTexts(owner, ['name', 'host', 'version']) &&
    hasTexts(heartbeat, ['at']) &&
    Number.isSafeInteger((heartbeat as { sequence?: unknown }).sequence)
  );
}

const hasTexts = (value: unknown, keys: readonly string[]): value is object =>
  typeof value === 'object' &&
  value !== null &&
  keys.every((key) => typeof (value as Record<string, unknown>)[key] === 'string');

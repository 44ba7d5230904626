/** The identity file of a root, as text: which root it is, whose it is, and its owner's last sign of life. */

/** In the root's own folder. It is hidden, so that it is in nobody's way. */
export const IDENTITY_NAME = '.scanflow-root.json';

/** Whose a root is, for people. */
export interface Owner {
  /** Name of the facility, as the configuration has it. */
  readonly name: string;
  readonly host: string;
  readonly version: string;
}

export interface RootIdentity {
  readonly version: 1;
  /** Of the root, wherever it is mounted. */
  readonly root: string;
  /** Of the installation whose ledger knows what lies here. */
  readonly ledger: string;
  readonly owner: Owner;
  /** The number counts; the time is for people, as two machines' clocks may differ. */
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

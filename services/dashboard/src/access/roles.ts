/** What people may see and do. Pure. */

/** `member`: the projects given to them. `operator`: all days, and walk-ins. `it`: everything, and every action. */
export const ROLES = ['member', 'operator', 'it'] as const;
export type Role = (typeof ROLES)[number];

export interface Person {
  readonly name: string;
  readonly role: Role;
  /** Projects of a member. */
  readonly projects: readonly string[];
  /** Mail addresses that an administrator entered, or that the identity provider verified; in small letters. */
  readonly addresses: readonly string[];
}

/** What a page shows, as far as seeing it is concerned. */
export interface Subject {
  readonly project?: string | undefined;
  /** Mail addresses of who booked it, as the calendar says. */
  readonly bookers?: readonly string[] | undefined;
  /** Who booked it, as a record without `bookers` has it: a name, or an address where the calendar has no name. */
  readonly booker?: string | undefined;
}

/** What an identity provider says of somebody who signed in, by the rules of the configuration. */
export interface Identity {
  /** `iss` and `sub`: what alone names a person for good (OpenID Connect Core 5.7). */
  readonly issuer: string;
  readonly subject: string;
  /** The name that the person would like, and another one where somebody else has it. */
  readonly names: readonly [string, string];
  readonly role: Role;
  readonly projects: readonly string[];
  /** The mail address, where the provider verified it; in small letters. */
  readonly address: string | undefined;
}

export const ACTIONS = [
  'release',
  'move',
  'retry',
  'skip',
  'redo',
  'pause',
  'accept',
  'check',
  'try',
  'walk-in',
  'users',
] as const;
export type Action = (typeof ACTIONS)[number];

const OF_OPERATORS: readonly Action[] = ['walk-in', 'check'];

/**
 * Whether a person may see something of a project. Members do not learn that other projects exist: where this is false,
 * the page is not found.
 */
export function maySee({ role, projects, addresses }: Person, { project, ...own }: Subject): boolean {
  if (role !== 'member') return true;
  if (project !== undefined && projects.includes(project)) return true;
  const { booker, bookers = booker === undefined ? [] : [booker] } = own;
  return bookers.some((one) => addresses.includes(one.toLowerCase()));
}

export const mayDo = ({ role }: Person, action: Action): boolean =>
  role === 'it' || (role === 'operator' && OF_OPERATORS.includes(action));

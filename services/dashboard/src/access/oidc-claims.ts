/** What the claims of an identity provider mean here: name, role, projects and address. Pure. */
import { createHash } from 'node:crypto';
import type { Config } from '@scanflow/config';
import { ROLES, type Identity, type Role } from './roles.ts';

/** A claim set as JSON. */
export type Claims = Readonly<Record<string, unknown>>;
export type OidcConfig = NonNullable<Config['dashboard']['oidc']>;
type Rules = Pick<OidcConfig, 'groupsClaim' | 'roles' | 'projects' | 'projectPattern'>;

/** Somebody whom the provider knows and whom no group lets in. */
export interface Stranger extends Pick<Identity, 'issuer' | 'subject' | 'names'> {
  readonly role: undefined;
  /** How many groups came; undefined where the claim did not. */
  readonly groups: number | undefined;
}

/** Groups that are looked at: directories know people with thousands. */
const MOST_GROUPS = 10_000;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,55}$/u;

/**
 * `sets`: those of the ID token and of UserInfo. Groups count from both. An address counts where the same set says that it is
 * verified (OpenID Connect Core 5.1): a person may type any address into many a profile.
 */
export function identityOf(
  { issuer, subject }: Pick<Identity, 'issuer' | 'subject'>,
  sets: readonly Claims[],
  rules: Rules,
): Identity | Stranger {
  const claimed = sets.flatMap((set) => groupsIn(set[rules.groupsClaim]) ?? []);
  const groups = new Set(claimed.slice(0, MOST_GROUPS));
  const projects = projectsOf(groups, rules);
  const role = roleOf(groups, rules) ?? (projects.length > 0 ? 'member' : undefined);
  const address = sets.flatMap(verifiedAddress)[0];
  const names = namesOf({ issuer, subject }, sets, address);
  if (role !== undefined) return { issuer, subject, names, role, projects, address };
  const came = sets.some((set) => groupsIn(set[rules.groupsClaim]) !== undefined);
  return { issuer, subject, names, role, groups: came ? groups.size : undefined };
}

/** One group may come as a text alone. */
function groupsIn(claim: unknown): string[] | undefined {
  if (typeof claim === 'string') return [claim];
  return Array.isArray(claim) ? claim.filter((one) => typeof one === 'string') : undefined;
}

/** The highest. */
function roleOf(groups: ReadonlySet<string>, { roles }: Rules): Role | undefined {
  const has = (role: Role): boolean => {
    const wanted = roles[role];
    return wanted === 'everybody' || wanted.some((group) => groups.has(group));
  };
  return ROLES.toReversed().find(has);
}

function projectsOf(groups: ReadonlySet<string>, { projects, projectPattern }: Rules): string[] {
  const listed = Object.entries(projects).flatMap(([group, given]) => (groups.has(group) ? given : []));
  const named = [...groups].flatMap((group) => projectPattern?.exec(group)?.groups?.['project'] ?? []);
  return [...new Set([...listed, ...named])];
}

function verifiedAddress({ email, email_verified: isVerified }: Claims): string[] {
  const isAddress = typeof email === 'string' && /^[^\s@]+@[^\s@]+$/.test(email) && email.length <= 256;
  return isAddress && isVerified === true ? [email.toLowerCase()] : [];
}

/** The provider's name for the person, and the same with a mark of `sub`: a name may be taken, or change hands. */
function namesOf(
  { issuer, subject }: Pick<Identity, 'issuer' | 'subject'>,
  sets: readonly Claims[],
  address: string | undefined,
): readonly [string, string] {
  const mark = createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('hex')
    .slice(0, 8);
  const wished = sets.map((set) => set['preferred_username']);
  const name = [...wished, address, subject].find(
    (one): one is string => typeof one === 'string' && NAME.test(one),
  );
  return name === undefined ? [`user-${mark}`, `user.${mark}`] : [name, `${name}.${mark}`];
}

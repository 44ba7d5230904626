/** What signing in at an identity provider means here: its refusal, the words that belong to a sign-in, and the claims. Pure. */
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

/** The provider refused the person or the answer is of no use any more. Signing in once more may help. */
export class SignInRefused extends Error {
  /** As the provider calls it, such as `access_denied`; `invalid_grant` where the answer came twice or late. */
  readonly reason: string;

  constructor(reason: string) {
    super(`the identity provider refused: ${reason}`);
    this.reason = reason;
  }
}

/** The state of a sign-in (RFC 6749 10.12), for comparison before anything is asked. */
export const stateOf = (word: string): string => derived(word, 'state');

/** 43 characters: as many as a code verifier needs (RFC 7636 4.1). Nobody learns one from another. */
export const derived = (word: string, what: string): string =>
  createHash('sha256').update(`${what} ${word}`).digest('base64url');

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

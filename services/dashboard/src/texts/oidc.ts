/** What the pages around an identity provider say, in English: part of `pages.ts`. */
export const oidc = {
  title: 'Not signed in',
  with: (provider: string): string => `Sign in with ${provider}`,
  orHere: 'Or with a password of this board',
  again: 'Back to signing in',
  audited: 'sign in by OpenID Connect',
  gone: 'This sign-in no longer counts: it was opened twice, is older than ten minutes, or began in another browser. Sign in once more.',
  refused: (provider: string, reason: string): string =>
    `The identity provider of ${provider} did not let you in: ${reason}. Try again, or ask its help desk.`,
  away: (provider: string): string =>
    `The identity provider of ${provider} does not answer. Try again in some minutes. Whoever has a password of this board can sign in with it.`,
  unusable: (provider: string): string =>
    `The board cannot use the answer of ${provider}, so nobody was signed in. The log of the dashboard says why: ask facility IT.`,
  noRole: (provider: string, name: string, groups: number | undefined): string =>
    `You are ${name} at ${provider}, but this account opens nothing here. Ask facility IT for a group that the board knows (dashboard.oidc.roles). ${
      groups === undefined
        ? 'The account came without the claim of its groups.'
        : `It came with ${groups.toLocaleString('en-GB')} ${groups === 1 ? 'group' : 'groups'}.`
    }`,
} as const;

export const signedOut = {
  title: 'Signed out',
  text: (provider: string): string =>
    `You are signed out of the board. In this browser you may still be signed in with ${provider}.`,
  leave: (provider: string): string => `Sign out of ${provider}, too`,
} as const;

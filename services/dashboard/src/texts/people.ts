/** What the pages of one's own account and of all users say, and why a user or a password is not taken. */
export const people = {
  passwordProblems: {
    short: (length: number, least: number): string =>
      `The password has ${length} characters. Take at least ${least}.`,
    long: (most: number): string => `The password is longer than ${most} characters. Take a shorter one.`,
    repeats: 'The password repeats a few characters. Take another one.',
    name: 'The password holds the user name. Take another one.',
  },
  refused: {
    there: (name: string): string => `there is a user ${name} already`,
    unknown: (name: string): string => `there is no user ${name}: scanflow user list shows all`,
    elsewhere: (name: string, issuer: string): string =>
      `${name} signs in at ${issuer}: change password, role and projects there`,
    address: 'expected a mail address like anna@example.org',
    unclear: 'not understood',
  },
  account: {
    title: 'Your account',
    sessions: 'Where you are signed in',
    since: 'signed in',
    seen: 'last request',
    from: 'from',
    browser: 'browser',
    here: 'this browser',
    everywhere: 'Sign out everywhere',
    everywhereText: 'Ends all your sessions, also this one.',
    password: 'New password',
    passwordTitle: 'Change your password',
    passwordText: 'This ends your other sessions.',
    current: 'Current password',
    change: 'Change password',
    wrong: 'The current password is wrong.',
    said: 'Your password is changed. Other browsers are signed out.',
    elsewhere: (issuer: string): string => `You sign in at ${issuer}: change your password there.`,
    users: 'Users',
  },
  users: {
    title: 'Users',
    name: 'User',
    role: 'Role',
    projects: 'Projects',
    projectsHint: 'separated by blanks; for members',
    password: 'Password',
    set: 'set',
    unset: 'none yet',
    at: (issuer: string): string => `at ${issuer}`,
    do: 'Do',
    you: 'you',
    save: 'Save',
    invite: 'New link',
    signOut: 'Sign out everywhere',
    remove: 'Remove',
    add: 'Add a user',
    addButton: 'Add, and make a link',
    linkTitle: (name: string): string => `A link for ${name}`,
    linkText: 'It works once, and for a day. Give it to this person only: whoever has it sets the password.',
    removeTitle: (name: string): string => `Remove ${name}?`,
    removeText: 'All sessions of this user end. The audit log keeps what the user did.',
    back: 'Back to users',
    own: 'Somebody else with the role it changes your role, or removes you.',
    roles: { member: 'member', operator: 'operator', it: 'it' },
    said: {
      again: 'This form was sent before, and counted once.',
      role: 'Saved.',
      'sign-out': 'Signed out everywhere.',
      remove: 'Removed.',
    },
  },
} as const;

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

/** The pages around the board: sign in, invitation, and what went wrong. */
import { html, type Html } from '../page/html.ts';
import { t } from '../texts/pages.ts';
import { LEAST_CHARACTERS } from '../access/passwords.ts';

const problem = (text: string | undefined): Html | false =>
  text !== undefined && html`<p class="say bad" role="alert">${text}</p>`;

interface SignIn {
  /** The path to show after signing in. */
  readonly next: string;
  /** What people call the account of an identity provider, if there is one. */
  readonly provider: string | undefined;
  readonly failed?: string;
  readonly name?: string;
}

export const signInPage = ({ next, provider, failed, name = '' }: SignIn): Html =>
  html`<h1>${t.signIn.title}</h1>
    ${problem(failed)}
    ${
      provider !== undefined &&
      html`<p>
          <a class="button" href="/oidc/sign-in?next=${encodeURIComponent(next)}">${t.oidc.with(provider)}</a>
        </p>
        <h2>${t.oidc.orHere}</h2>`
    }
    <form method="post" action="/sign-in" class="form">
      <input type="hidden" name="next" value="${next}" />
      <label
        >${t.signIn.name}
        <input
          name="name"
          value="${name}"
          autocomplete="username"
          required
          ${provider === undefined && html`autofocus`}
      /></label>
      <label
        >${t.signIn.password} <input name="password" type="password" autocomplete="current-password" required
      /></label>
      <button>${t.signIn.title}</button>
    </form>
    <p class="more">${t.signIn.none} <code>scanflow user invite NAME</code></p>`;

/** The field of a new password. */
export const newPassword = (label: string, first = false): Html =>
  html`<label
    >${label}
    <input
      name="password"
      type="password"
      autocomplete="new-password"
      minlength="${LEAST_CHARACTERS}"
      required
      ${first && html`autofocus`}
  /></label>`;

export const invitationPage = (word: string, name: string, failed?: string): Html =>
  html`<h1>${t.invitation.welcome(name)}</h1>
    <p>${t.invitation.choose(LEAST_CHARACTERS)}</p>
    ${problem(failed)}
    <form method="post" action="/invite/${word}" class="form">
      <input type="hidden" name="username" value="${name}" autocomplete="username" />
      ${newPassword(t.signIn.password, true)}
      <button>${t.invitation.set}</button>
    </form>`;

/** Why somebody is not let in, with the way to try once more. */
export const outsidePage = (text: string): Html =>
  html`<h1>${t.oidc.title}</h1>
    <p>${text}</p>
    <p><a href="/sign-in">${t.oidc.again}</a></p>`;

/** `leave`: where the provider signs people out, if it offers that. */
export const signedOutPage = (provider: string, leave: string | undefined): Html =>
  html`<h1>${t.signedOut.title}</h1>
    <p>${t.signedOut.text(provider)}</p>
    ${leave !== undefined && html`<p><a class="button" href="${leave}">${t.signedOut.leave(provider)}</a></p>`}
    <p><a href="/sign-in">${t.signIn.title}</a></p>`;

export const messagePage = (title: string, text: string): Html =>
  html`<h1>${title}</h1>
    <p>${text}</p>
    <p><a href="/">${t.toToday}</a></p>`;

/** The pages around the board: sign in, invitation, and what went wrong. */
import { html, type Html } from '../page/html.ts';
import { t } from '../texts/pages.ts';
import { LEAST_CHARACTERS } from '../access/passwords.ts';

const problem = (text: string | undefined): Html | false =>
  text !== undefined && html`<p class="say bad" role="alert">${text}</p>`;

/** `next`: the path to show after signing in. */
export const signInPage = (next: string, failed?: string, name = ''): Html =>
  html`<h1>${t.signIn.title}</h1>
    ${problem(failed)}
    <form method="post" action="/sign-in" class="form">
      <input type="hidden" name="next" value="${next}" />
      <label
        >${t.signIn.name} <input name="name" value="${name}" autocomplete="username" required autofocus
      /></label>
      <label
        >${t.signIn.password} <input name="password" type="password" autocomplete="current-password" required
      /></label>
      <button>${t.signIn.title}</button>
    </form>
    <p class="more">${t.signIn.none} <code>scanflow user invite NAME</code></p>`;

export const invitationPage = (word: string, name: string, failed?: string): Html =>
  html`<h1>${t.invitation.welcome(name)}</h1>
    <p>${t.invitation.choose(LEAST_CHARACTERS)}</p>
    ${problem(failed)}
    <form method="post" action="/invite/${word}" class="form">
      <input type="hidden" name="username" value="${name}" autocomplete="username" />
      <label
        >${t.signIn.password}
        <input
          name="password"
          type="password"
          autocomplete="new-password"
          minlength="${LEAST_CHARACTERS}"
          required
          autofocus
      /></label>
      <button>${t.invitation.set}</button>
    </form>`;

export const messagePage = (title: string, text: string): Html =>
  html`<h1>${title}</h1>
    <p>${text}</p>
    <p><a href="/">${t.toToday}</a></p>`;

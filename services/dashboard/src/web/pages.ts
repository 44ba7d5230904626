/** The pages around the board: sign in, invitation, and what went wrong. */
import { html, type Html } from '../page/html.ts';
import { LEAST_CHARACTERS } from '../access/passwords.ts';

const problem = (text: string | undefined): Html | false =>
  text !== undefined && html`<p class="say bad" role="alert">${text}</p>`;

/** `next`: the path to show after signing in. */
export const signInPage = (next: string, failed?: string, name = ''): Html =>
  html`<h1>Sign in</h1>
    ${problem(failed)}
    <form method="post" action="/sign-in" class="form">
      <input type="hidden" name="next" value="${next}" />
      <label
        >User name <input name="name" value="${name}" autocomplete="username" required autofocus
      /></label>
      <label
        >Password <input name="password" type="password" autocomplete="current-password" required
      /></label>
      <button>Sign in</button>
    </form>
    <p class="more">
      No password yet? Whoever runs Scanflow makes a link for you: <code>scanflow user invite NAME</code>
    </p>`;

export const invitationPage = (word: string, name: string, failed?: string): Html =>
  html`<h1>Welcome, ${name}</h1>
    <p>Choose a password of at least ${LEAST_CHARACTERS} characters. This link works once.</p>
    ${problem(failed)}
    <form method="post" action="/invite/${word}" class="form">
      <input type="hidden" name="username" value="${name}" autocomplete="username" />
      <label
        >Password
        <input
          name="password"
          type="password"
          autocomplete="new-password"
          minlength="${LEAST_CHARACTERS}"
          required
          autofocus
      /></label>
      <button>Set password and sign in</button>
    </form>`;

export const messagePage = (title: string, text: string): Html =>
  html`<h1>${title}</h1>
    <p>${text}</p>
    <p><a href="/">To today’s board</a></p>`;

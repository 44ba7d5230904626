/** `/account`: where somebody is signed in, signing out everywhere, and the own password. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { newPassword } from '../web/pages.ts';
import { limiterKeys, type Limiter, hashPassword, isPassword, passwordProblem } from '../access/passwords.ts';
import { mayDo, type Person } from '../access/roles.ts';
import type { Session, UserRow } from '../access/store.ts';
import type { Facility } from '../day/routes.ts';
import { html, type Html, table, timeTag } from '../page/html.ts';
import { t } from '../texts/pages.ts';
import { people } from '../texts/people.ts';
import { cookieOf } from '../web/cookie.ts';
import { field, forPerson, isSecure, send, wordOf, type Access } from '../web/request.ts';

const a = people.account;

export interface AccountOptions extends Access {
  readonly facility: Facility;
  readonly limiter: Limiter;
}

interface Said {
  readonly Querystring: { readonly said?: string };
}

export function addAccount(app: FastifyInstance, options: AccountOptions): void {
  app.get<Said>(
    '/account',
    forPerson<FastifyRequest<Said>>(options, (request, reply, person) =>
      shown(request, reply, person, options, request.query.said === 'password' ? { good: a.said } : {}),
    ),
  );
  app.post(
    '/account/password',
    forPerson(options, (request, reply, person) => changePassword(request, reply, person, options)),
  );
}

interface Message {
  readonly good?: string;
  readonly bad?: string;
}

async function shown(
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  { store, now, facility }: AccountOptions,
  message: Message,
): Promise<FastifyReply> {
  const [user, sessions] = await Promise.all([
    store.user(person.name),
    store.sessions(person.name, now(), wordOf(request)),
  ]);
  const main = html`<h1>${a.title}</h1>
    ${message.good !== undefined && html`<p class="say" role="status">${message.good}</p>`}
    ${message.bad !== undefined && html`<p class="say bad" role="alert">${message.bad}</p>`}
    <p>${person.name}: ${t.roles[person.role]}</p>
    ${mayDo(person, 'users') && html`<p><a href="/users">${a.users}</a></p>`}
    <h2>${a.sessions}</h2>
    ${sessionTable(sessions, facility.timezone)}
    <form method="post" action="/sign-out" class="form">
      <input type="hidden" name="everywhere" value="yes" />
      <button>${a.everywhere}</button>
    </form>
    <p class="more">${a.everywhereText}</p>
    <h2>${a.passwordTitle}</h2>
    ${passwordForm(user)}`;
  return send(reply, { title: a.title, main, person });
}

const sessionTable = (sessions: readonly Session[], timezone: string): Html =>
  table(
    a.sessions,
    [a.since, a.seen, a.from, a.browser],
    sessions.map(
      ({ created, seen, address, own }) =>
        html`<tr>
          <td>${timeTag(created, timezone)}</td>
          <td>${timeTag(seen, timezone)}</td>
          <td>${address}</td>
          <td>${own && a.here}</td>
        </tr>`,
    ),
  );

const passwordForm = (user: UserRow | undefined): Html =>
  user?.issuer !== undefined
    ? html`<p>${a.elsewhere(user.issuer)}</p>`
    : html`<form method="post" action="/account/password" class="form">
          <label
            >${a.current} <input name="current" type="password" autocomplete="current-password" required
          /></label>
          ${newPassword(a.password)}
          <button>${a.change}</button>
        </form>
        <p class="more">${a.passwordText}</p>`;

/** Slowed down like signing in: whoever finds a browser that is signed in guesses no password there. */
async function changePassword(
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  options: AccountOptions,
): Promise<FastifyReply> {
  const { store, limiter, now } = options;
  const { name } = person;
  const refused = (status: number, bad: string): Promise<FastifyReply> =>
    shown(request, reply.code(status), person, options, { bad });
  const user = await store.user(name);
  if (user?.issuer !== undefined) return refused(409, a.elsewhere(user.issuer));
  const keys = limiterKeys(name, request.ip);
  const wait = Math.ceil(limiter.wait(keys, now()) / 1000);
  if (wait > 0) return refused(429, t.signIn.tooMany(wait));
  limiter.failed(keys, now());
  const right = await isPassword(field(request, 'current'), await store.passwordOf(name));
  const entry = { at: now(), who: name, address: request.ip, what: 'change password', subject: '' };
  if (!right) {
    await store.audit({ ...entry, result: 'refused' });
    return refused(403, a.wrong);
  }
  limiter.succeeded(keys);
  const password = field(request, 'password');
  const problem = passwordProblem(password, name);
  if (problem !== undefined) return refused(422, problem);
  await store.setPassword(name, await hashPassword(password));
  await store.audit({ ...entry, result: 'done' });
  const word = await store.signIn(name, request.ip, now());
  return reply
    .header('set-cookie', cookieOf(word, isSecure(request)))
    .redirect('/account?said=password', 303);
}

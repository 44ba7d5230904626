/** `/users`, for facility IT: who may sign in, with which role and projects; one-time links, signing out, removing. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ROLES, type Person, type Role } from '../access/roles.ts';
import type { UserRow } from '../access/store.ts';
import { added, changed, knownIn, localIn, parsed } from '../access/users.ts';
import { isWord, onceField } from '../actions/order.ts';
import { html, type Html, table } from '../page/html.ts';
import { t } from '../texts/pages.ts';
import { people } from '../texts/people.ts';
import { field, forAction, send, sendMessage, type Access } from '../web/request.ts';

const u = people.users;

interface Said {
  readonly Querystring: { readonly said?: string };
}
interface OfUser {
  readonly Params: { readonly name: string };
}

/** One form that somebody sent, for the first time. */
interface Sent {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly person: Person;
  readonly access: Access;
  /** Name of the user that it is about. */
  readonly name: string;
}

type Act = (sent: Sent) => Promise<FastifyReply>;

export function addUserPages(app: FastifyInstance, access: Access): void {
  app.get<Said>(
    '/users',
    forAction<FastifyRequest<Said>>(access, 'users', async ({ query }, reply, person) => {
      const said = Object.entries(u.said).find(([key]) => key === query.said)?.[1];
      const main = usersPage(await access.store.users(), person, said);
      return send(reply, { title: u.title, main, person });
    }),
  );
  app.post(
    '/users',
    forAction(access, 'users', (request, reply, person) =>
      once({ request, reply, person, access, name: field(request, 'name').trim() }, add),
    ),
  );
  const acts: Readonly<Record<string, Act>> = { role, invite, 'sign-out': signOut, remove };
  for (const [path, act] of Object.entries(acts))
    app.post<OfUser>(
      `/users/:name/${path}`,
      forAction<FastifyRequest<OfUser>>(access, 'users', (request, reply, person) =>
        once({ request, reply, person, access, name: request.params.name }, act),
      ),
    );
}

async function once(sent: Sent, act: Act): Promise<FastifyReply> {
  const word = field(sent.request, 'once');
  const { store, now } = sent.access;
  return isWord(word) && (await store.spend(word, now()))
    ? act(sent)
    : sent.reply.redirect('/users?said=again', 303);
}

const audit = ({ request, person, access }: Sent, what: string, subject: string): Promise<void> =>
  access.store.audit({
    at: access.now(),
    who: person.name,
    address: request.ip,
    what,
    subject,
    result: 'done',
  });

const listIn = (text: string): string[] => text.split(/[\s,;]+/).filter((one) => one !== '');

const add: Act = async (sent) => {
  const { request, reply, access, name } = sent;
  const person = parsed(added, {
    name,
    role: field(request, 'role'),
    projects: listIn(field(request, 'projects')),
  });
  if (!(await access.store.add(person, access.now())))
    return sendMessage(reply, 409, t.actions.refusedTitle, people.refused.there(person.name));
  await audit(sent, 'add user', person.name);
  return linkPage(sent);
};

const invite: Act = async (sent) => {
  await localIn(sent.access.store, sent.name);
  await audit(sent, 'invite', sent.name);
  return linkPage(sent);
};

/** The link has the name by which this browser opened the board: the guard knows it. */
async function linkPage({ request, reply, person, access, name }: Sent): Promise<FastifyReply> {
  const word = await access.store.invite(name, access.now());
  const link = `${request.protocol}://${request.headers.host ?? ''}/invite/${word}`;
  const main = html`<h1>${u.linkTitle(name)}</h1>
    <p>${u.linkText}</p>
    <p class="path"><code id="link">${link}</code></p>
    <p><a href="/users">${u.back}</a></p>`;
  return send(reply, { title: u.linkTitle(name), main, person });
}

const role: Act = async (sent) => {
  const { request, reply, person, access, name } = sent;
  const user = await localIn(access.store, name);
  const given = parsed(changed, {
    role: field(request, 'role'),
    projects: listIn(field(request, 'projects')),
  });
  const wanted: Role = given.role ?? user.role;
  if (name === person.name && wanted !== user.role) return own(reply);
  await access.store.change({
    name,
    role: wanted,
    projects: given.projects ?? user.projects,
    addresses: user.entered,
  });
  await audit(sent, 'change role', `${name}: ${wanted}`);
  return reply.redirect('/users?said=role', 303);
};

const signOut: Act = async (sent) => {
  const { reply, access, name } = sent;
  await knownIn(access.store, name);
  await access.store.signOutEverywhere(name);
  await audit(sent, 'sign out everywhere', name);
  return reply.redirect('/users?said=sign-out', 303);
};

const remove: Act = async (sent) => {
  const { request, reply, person, access, name } = sent;
  await knownIn(access.store, name);
  if (name === person.name) return own(reply);
  if (field(request, 'confirmed') === '') {
    const main = html`<h1>${u.removeTitle(name)}</h1>
      <p>${u.removeText}</p>
      <form method="post" action="${`${at(name)}/remove`}" class="form">
        ${onceField()}<input type="hidden" name="confirmed" value="yes" />
        <button>${u.remove}</button>
      </form>
      <p><a href="/users">${u.back}</a></p>`;
    return send(reply, { title: u.removeTitle(name), main, person });
  }
  await access.store.remove(name);
  await audit(sent, 'remove user', name);
  return reply.redirect('/users?said=remove', 303);
};

/** Nobody locks themselves out, so somebody with the role it always remains. */
const own = (reply: FastifyReply): FastifyReply => sendMessage(reply, 409, t.actions.refusedTitle, u.own);

const at = (name: string): string => `/users/${encodeURIComponent(name)}`;

const usersPage = (users: readonly UserRow[], person: Person, said: string | undefined): Html =>
  html`<h1>${u.title}</h1>
    ${said !== undefined && html`<p class="say" role="status">${said}</p>`}
    ${table(
      u.title,
      [u.name, `${u.role}, ${u.projects}`, u.password, u.do],
      users.map((user) => userRow(user, user.name === person.name)),
    )}
    <h2>${u.add}</h2>
    <form method="post" action="/users" class="form">
      ${onceField()}
      <label>${u.name} <input name="name" autocomplete="off" maxlength="64" required /></label>
      <label>${u.role} ${roleSelect('member', u.role)}</label>
      <label>${u.projects} (${u.projectsHint}) <input name="projects" autocomplete="off" /></label>
      <button>${u.addButton}</button>
    </form>`;

const userRow = (user: UserRow, isOwn: boolean): Html =>
  html`<tr>
    <td>${user.name} ${isOwn && html`<span class="more">(${u.you})</span>`}</td>
    <td>${user.issuer === undefined ? roleForm(user) : `${user.role} ${user.projects.join(' ')}`}</td>
    <td>${user.issuer === undefined ? (user.hasPassword ? u.set : u.unset) : u.at(user.issuer)}</td>
    <td>
      ${user.issuer === undefined && button(user.name, 'invite', u.invite)}
      ${button(user.name, 'sign-out', u.signOut)} ${!isOwn && button(user.name, 'remove', u.remove)}
    </td>
  </tr>`;

const roleForm = ({ name, role: current, projects }: UserRow): Html =>
  html`<form method="post" action="${`${at(name)}/role`}">
    ${onceField()}${roleSelect(current, `${u.role}: ${name}`)}
    <input name="projects" value="${projects.join(' ')}" aria-label="${`${u.projects}: ${name}`}" />
    <button>${u.save}</button>
  </form>`;

const roleSelect = (current: Role, label: string): Html =>
  html`<select name="role" aria-label="${label}">
    ${ROLES.map((one) => html`<option value="${one}" ${one === current && html`selected`}>${u.roles[one]}</option>`)}
  </select>`;

const button = (name: string, path: string, text: string): Html =>
  html`<form method="post" action="${`${at(name)}/${path}`}">
    ${onceField()}
    <button aria-label="${`${text}: ${name}`}">${text}</button>
  </form>`;

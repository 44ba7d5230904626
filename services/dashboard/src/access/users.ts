/** Users, for `scanflow user`: behind the internal token, on the port for programs. */
import type { FastifyInstance } from '@scanflow/runtime';
import { defined } from '@scanflow/failure/defined';
import { z } from 'zod';
import { hashPassword, passwordProblem } from './passwords.ts';
import { ROLES, type Person } from './roles.ts';
import type { AccessStore, UserRow } from './store.ts';
import { people } from '../texts/people.ts';

export interface UsersOptions {
  readonly store: AccessStore;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Of the board, for links. */
  readonly address: string;
}

const name = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u);
const role = z.enum(ROLES);
const list = z.array(z.string().min(1).max(256)).max(1000);
/** Compared with those of bookings in small letters. */
const mail = z
  .string()
  .max(256)
  .trim()
  .toLowerCase()
  .regex(/^[^\s@]+@[^\s@]+$/, people.refused.address);
const addresses = z.array(mail).max(1000);
export const added = z.object({ name, role, projects: list.default([]), addresses: addresses.default([]) });
export const changed = z.object({
  role: role.optional(),
  projects: list.optional(),
  addresses: addresses.optional(),
});

class Refused extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

interface OfUser {
  readonly Params: { readonly name: string };
}

/** GET /api/users; POST /api/users, /api/users/NAME/role, /password, /invite and /remove. */
export function addUsers(app: FastifyInstance, { store, now, address }: UsersOptions): void {
  const audit = (what: string, subject: string, from: string): Promise<void> =>
    store.audit({ at: now(), who: 'scanflow user', address: from, what, subject, result: 'done' });
  const known = (wanted: string): Promise<UserRow> => knownIn(store, wanted);
  const local = (wanted: string): Promise<UserRow> => localIn(store, wanted);
  const linkFor = async (user: string): Promise<string> =>
    `${address}/invite/${await store.invite(user, now())}`;
  app.get('/api/users', async () => ({ users: await store.users() }));
  app.post('/api/users', async ({ body, ip }) => {
    const person = parsed(added, body);
    if (!(await store.add(person, now()))) throw new Refused(409, people.refused.there(person.name));
    await audit('add user', person.name, ip);
    return { link: await linkFor(person.name) };
  });
  app.post<OfUser>('/api/users/:name/role', async ({ params, body, ip }) => {
    const given = parsed(changed, body);
    const onlyAddresses = given.role === undefined && given.projects === undefined;
    const user = await (onlyAddresses ? known(params.name) : local(params.name));
    const person: Person = { ...user, addresses: user.entered, ...defined(given) };
    await store.change(person);
    await audit('change role', `${person.name}: ${person.role}`, ip);
    return { user: await store.user(person.name) };
  });
  app.post<OfUser>('/api/users/:name/password', async ({ params, body, ip }) => {
    const { password } = parsed(z.object({ password: z.string() }), body);
    await local(params.name);
    const problem = passwordProblem(password, params.name);
    if (problem !== undefined) throw new Refused(400, problem);
    await store.setPassword(params.name, await hashPassword(password));
    await audit('set password', params.name, ip);
    return {};
  });
  app.post<OfUser>('/api/users/:name/invite', async ({ params, ip }) => {
    await local(params.name);
    await audit('invite', params.name, ip);
    return { link: await linkFor(params.name) };
  });
  app.post<OfUser>('/api/users/:name/remove', async ({ params, ip }) => {
    await known(params.name);
    await store.remove(params.name);
    await audit('remove user', params.name, ip);
    return {};
  });
}

export async function knownIn(store: AccessStore, name: string): Promise<UserRow> {
  const user = await store.user(name);
  if (user === undefined) throw new Refused(404, people.refused.unknown(name));
  return user;
}

/** One who signs in by a password here. */
export async function localIn(store: AccessStore, name: string): Promise<UserRow> {
  const user = await knownIn(store, name);
  if (user.issuer !== undefined) throw new Refused(409, people.refused.elsewhere(name, user.issuer));
  return user;
}

export function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Refused(400, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? people.refused.unclear}`);
}

/** An identity provider on loopback, the npm package oidc-provider, for tests of signing in. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import { freePort } from '@scanflow/testkit';
import { Provider } from 'oidc-provider';

export interface Account {
  readonly groups?: readonly string[];
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly preferred_username?: string;
}

export const CLIENT = { clientId: 'board', secret: 'a-secret-of-the-client' } as const;

export interface TestProvider {
  readonly issuer: string;
  /** By `sub`, which is what people type as their login there; may change. */
  readonly accounts: Map<string, Account>;
  /** Lets browsers come back to the board at this address. */
  readonly serve: (board: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Nobody listens before `serve`. Its own page takes any login and password. */
export async function makeProvider(): Promise<TestProvider> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const accounts = new Map<string, Account>();
  let server: Server | undefined;
  return {
    issuer,
    accounts,
    serve: async (board) => {
      const answer = providerOf(issuer, board, accounts).callback();
      server = createServer((request, response) => void answer(request, response));
      await once(server.listen(port, '127.0.0.1'), 'listening');
      if ((server.address() as AddressInfo).port !== port) throw new Error('another port');
    },
    stop: async () => {
      server?.closeAllConnections();
      await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    },
  };
}

const providerOf = (issuer: string, board: string, accounts: ReadonlyMap<string, Account>): Provider =>
  new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.secret,
        redirect_uris: [`${board}/oidc/callback`],
        post_logout_redirect_uris: [`${board}/signed-out`],
      },
    ],
    claims: {
      openid: ['sub'],
      profile: ['preferred_username', 'groups'],
      email: ['email', 'email_verified'],
    },
    pkce: { required: () => true },
    cookies: { keys: ['a key of the test'] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, preferred_username: sub, ...accounts.get(sub) }),
    }),
    // nobody has to consent
    loadExistingGrant: async ({ oidc: { provider, client, session } }) => {
      const grant = new provider.Grant({
        ...(client && { clientId: client.clientId }),
        ...(session?.accountId !== undefined && { accountId: session.accountId }),
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });

/** Rules between the keys of `ledger`. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

export function ledgerRules({ url, passwordFile, tls }: Config['ledger']): Finding[] {
  if (url === undefined)
    return Object.entries({ passwordFile, tls })
      .filter(([, value]) => value !== undefined)
      .map(([key]) => ({
        path: ['ledger', key],
        message: 'is for a PostgreSQL server, and there is no url',
      }));
  const { username, password, pathname, search } = new URL(url);
  const path = ['ledger', 'url'];
  return [
    ...(password === '' ? [] : [{ path, message: 'has a password in it; put it into passwordFile' }]),
    ...(username === ''
      ? [{ path, message: 'names no user; expected postgresql://USER@HOST/DATABASE' }]
      : []),
    ...(/^\/[^/]+$/.test(pathname)
      ? []
      : [{ path, message: 'names no database; expected postgresql://USER@HOST/DATABASE' }]),
    ...(search === '' ? [] : [{ path, message: 'takes no parameters after ?; see tls' }]),
  ];
}

/** Links of consoles on the internal port, for `scanflow console`. */
import type { FastifyInstance } from '@scanflow/runtime';
import type { AccessStore } from '../access/store.ts';
import type { ConsoleStore } from './store.ts';

export interface LinkOptions {
  readonly consoles: ConsoleStore;
  readonly store: Pick<AccessStore, 'audit'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Of the board. */
  readonly address: string;
  /** Names of the scanners of the configuration. */
  readonly scanners: readonly string[];
}

interface OfConsole {
  readonly Params: { readonly name: string };
}

/** GET /api/consoles; POST /api/consoles/NAME/link and /revoke. */
export function addLinks(app: FastifyInstance, options: LinkOptions): void {
  const { consoles, store, now, address, scanners } = options;
  const audit = (what: string, subject: string, from: string): Promise<void> =>
    store.audit({ at: now(), who: 'scanflow console', address: from, what, subject, result: 'done' });
  app.get('/api/consoles', async () => ({
    consoles: (await consoles.list()).map(({ name, made, open, seen }) => ({
      name,
      made: iso(made),
      open,
      ...(seen === undefined ? {} : { seen: iso(seen) }),
    })),
  }));
  app.post<OfConsole>('/api/consoles/:name/link', async ({ params: { name }, ip }, reply) => {
    if (!scanners.includes(name))
      return reply.code(404).send({
        error: `there is no scanner ${name} in the configuration; there are ${scanners.join(', ')}`,
      });
    await audit('link console', name, ip);
    const word = await consoles.link(name, now());
    return { link: `${address}/console/${encodeURIComponent(name)}/open/${word}` };
  });
  app.post<OfConsole>('/api/consoles/:name/revoke', async ({ params: { name }, ip }, reply) => {
    if (!(await consoles.revoke(name)))
      return reply
        .code(404)
        .send({ error: `the console ${name} has no link: scanflow console list shows those that have` });
    await audit('revoke console', name, ip);
    return {};
  });
}

const iso = (millis: number): string =>
  Temporal.Instant.fromEpochMilliseconds(millis).toString({ smallestUnit: 'second' });

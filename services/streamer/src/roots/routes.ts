/** The roots, for `scanflow storage`: GET /api/storage, and POST /api/storage/take for one that is refused. */
import type { FastifyInstance, Log } from '@scanflow/runtime';
import { Answer, byWhom, textIn } from '../http/changes.ts';
import { failureOf } from '../model/failure.ts';
import { WATCHED, type RootKeeper, type RootState } from './keeper.ts';

export interface RootRouteDeps {
  readonly keeper: RootKeeper;
  readonly log: Log;
  readonly wake: () => void;
}

export function rootRoutes(app: FastifyInstance, deps: RootRouteDeps): void {
  app.get('/api/storage', () => ({ roots: deps.keeper.states().map(rootReport) }));
  app.post('/api/storage/take', ({ body, ip }) => take(body, ip, deps));
}

const rootReport = ({ name, path, failure, known }: RootState): object => ({
  name,
  root: path,
  ...(known === undefined ? {} : { id: known.id, heartbeat: known.sequence }),
  ...(failure === undefined ? {} : { code: failure.code, message: failure.message }),
});

/** `watching`: it is not known yet whether another owner is at work. Ask again. */
async function take(
  body: unknown,
  ip: string,
  { keeper, log, wake }: RootRouteDeps,
): Promise<{ readonly said: string } | { readonly watching: string }> {
  const root = textIn(body, 'root') ?? '';
  const spec = keeper.specs.find(({ path }) => path === root.replace(/(?<=.)\/+$/, ''));
  if (spec === undefined) {
    const known = keeper.specs.map(({ path }) => path).join(', ');
    throw new Answer(400, `expected one of the roots of the configuration: ${known}`);
  }
  const refused = await keeper.take(spec).catch((error: unknown) => {
    throw new Answer(503, failureOf(error).message);
  });
  if (refused === WATCHED) return { watching: WATCHED };
  if (refused !== undefined) throw new Answer(409, refused);
  log.warn('a root was taken by hand', { root: spec.path, ...byWhom(body, ip) });
  wake();
  return {
    said: `${spec.path} is the root now. Series that were stored there are looked at; what is missing is pulled while Orthanc has it.`,
  };
}

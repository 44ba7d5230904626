/** POST /api/erase/preview, POST /api/erase and GET /api/erase/ID, for `scanflow erase`. */
import { erasuresIn, readErasure, type FastifyInstance } from '@scanflow/runtime';
import { Answer, byWhom, labelIn, textIn } from '../http/request.ts';
import { beginErasure } from './step.ts';
import type { LoopDeps } from '../work/deps.ts';
import { findAll } from './find.ts';
import type { Subject } from './holdings.ts';
import { intents } from './intent.ts';

/** Time limit for a search through all of storage. */
const LIMIT_MS = 600_000;

export function eraseRoutes(app: FastifyInstance, deps: LoopDeps): void {
  app.post('/api/erase/preview', async ({ body }) => {
    const { counts, destinations, hooks, series } = await findAll(
      subjectIn(body),
      deps,
      AbortSignal.timeout(LIMIT_MS),
    );
    return { series: series.length, counts, destinations, hooks };
  });
  app.post('/api/erase', async ({ body, ip }) => {
    const subject = subjectIn(body);
    const reason = textIn(body, 'reason') ?? '';
    if (reason === '' || reason.length > 200)
      throw new Answer(400, 'expected a reason of 1 to 200 characters');
    for (const label of [subject.project, subject.subject, subject.session])
      if (label !== undefined && reason.includes(label))
        throw new Answer(400, 'the reason is kept: it must not name the project, the subject or the session');
    const { by, from } = byWhom(body, ip);
    const id = await beginErasure({ ...subject, reason, by }, deps, AbortSignal.timeout(LIMIT_MS));
    deps.log.warn('erasure requested', { erasure: id, by, from });
    deps.wakes.erase.notify();
    return { id };
  });
  app.get<{ Params: { id: string } }>('/api/erase/:id', async ({ params: { id } }) => {
    if (!/^[0-9a-f]{16}$/.test(id)) throw new Answer(400, 'expected the id of an erasure');
    const open = (await intents(deps.data)).find((one) => one.id === id);
    if (open !== undefined) return { id, state: 'erasing', waits: open.waits, removed: open.removed };
    const done = await readErasure(erasuresIn(deps.data), id);
    if (done === undefined) throw new Answer(404, `there is no erasure ${id}`);
    return { id, state: 'erased', waits: [], removed: done.removed };
  });
}

function subjectIn(body: unknown): Subject {
  const session = textIn(body, 'session') === undefined ? {} : { session: labelIn(body, 'session') };
  return { project: labelIn(body, 'project'), subject: labelIn(body, 'subject'), ...session };
}

/** POST /api/board/accept/NAME: a person accepts what a calendar lost, as `scanflow calendars accept NAME` does. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance, Log } from '@scanflow/runtime';
import { acceptFile } from './adapters/memory.ts';
import type { PassReport } from './report.ts';

export function addAccept(
  app: FastifyInstance,
  {
    data,
    log,
    last,
  }: { readonly data: string; readonly log: Log; readonly last: () => PassReport | undefined },
): void {
  app.post<{ Params: { name: string } }>('/api/board/accept/:name', async ({ params: { name } }, reply) => {
    const held = last()?.calendars.find(({ calendar }) => calendar === name)?.held;
    if (held === undefined) return reply.code(404).send({ error: `there is no calendar ${name}` });
    if (held === 0)
      return reply.code(409).send({ error: `nothing of ${name} is held back: there is nothing to accept` });
    // the next pass removes it
    await writeFile(join(data, 'cal2wl', acceptFile(name)), '');
    log.info('removals accepted by hand', { calendar: name, held });
    return { held };
  });
}

/** `/events`: a Server-Sent Event `changed` whenever pages may differ (WHATWG HTML 9.2). */
import type { FastifyInstance } from 'fastify';
import type { Watch } from '../live/watch.ts';
import { HEADERS } from './guard.ts';
import { signedIn, type Access } from './request.ts';

/** Browsers at the same time that follow events. The page itself still loads for more. */
const MOST_STREAMS = 500;
/** A line now and then, so that proxies keep the stream and a browser that went away is noticed. */
const BEAT_MS = 15_000;

export function addEvents(app: FastifyInstance, watch: Pick<Watch, 'follow'>, access: Access): void {
  let streams = 0;
  app.get('/events', async (request, reply) => {
    if ((await signedIn(request, access)) === undefined) return reply.code(401).send();
    if (streams >= MOST_STREAMS) return reply.code(503).header('retry-after', '30').send();
    streams += 1;
    const { raw } = reply.hijack();
    raw.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    raw.write('retry: 3000\n\n');
    const leave = watch.follow(() => raw.write('event: changed\ndata:\n\n'));
    // whoever was signed out meanwhile, or cannot be looked up, hears no more
    const beatOrEnd = async (): Promise<void> => {
      const person = await signedIn(request, access).catch(() => undefined);
      if (person === undefined) raw.end();
      else raw.write(': \n\n');
    };
    const beat = setInterval(() => void beatOrEnd(), BEAT_MS).unref();
    raw.once('close', () => {
      streams -= 1;
      clearInterval(beat);
      leave();
    });
    return reply;
  });
}

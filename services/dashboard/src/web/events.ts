/** `/events`: a Server-Sent Event `changed` whenever pages may differ (WHATWG HTML 9.2). */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Failure } from '@scanflow/failure';
import type { Watch } from '../sources/watch.ts';
import { HEADERS } from './guard.ts';
import { signedIn, type Access } from './request.ts';

/** Browsers at the same time that follow events. The page itself still loads for more. */
const MOST_STREAMS = 500;
/** A line now and then, so that proxies keep the stream and a browser that went away is noticed. */
const BEAT_MS = 15_000;
/** Time for each of those that follow, and for all of them. */
const SPREAD_MS = 15;
const MOST_SPREAD_MS = 1_500;

interface Leading extends Access {
  readonly standby?: () => Failure | undefined;
}

export function addEvents(app: FastifyInstance, watch: Pick<Watch, 'follow'>, access: Leading): void {
  const open = openStreams();
  app.get('/events', async (request, reply) => {
    const isAllowed = async (): Promise<boolean> =>
      access.standby?.() === undefined && (await signedIn(request, access)) !== undefined;
    return (await isAllowed()) ? open(reply, { isAllowed, follow: watch.follow }) : reply.code(401).send();
  });
}

interface Following {
  /** Looked at again with each beat: whoever was signed out meanwhile, or cannot be looked up, hears no more. */
  readonly isAllowed: () => Promise<boolean>;
  readonly follow: Watch['follow'];
}

/** Opens event streams, at most so many at a time. They say that something changed, and nothing else. */
export function openStreams(): (reply: FastifyReply, following: Following) => FastifyReply {
  let streams = 0;
  return (reply, { isAllowed, follow }) => {
    if (streams >= MOST_STREAMS) return reply.code(503).header('retry-after', '30').send();
    streams += 1;
    const { raw } = reply.hijack();
    // nginx would keep events back until a page of them is full
    raw.writeHead(200, {
      ...HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    });
    raw.write('retry: 3000\n\n');
    let due: NodeJS.Timeout | undefined;
    const leave = follow(() => {
      // a hundred pages that load at the same moment would wait for each other
      due ??= setTimeout(
        () => {
          due = undefined;
          raw.write('event: changed\ndata:\n\n');
        },
        Math.random() * Math.min(streams * SPREAD_MS, MOST_SPREAD_MS),
      ).unref();
    });
    // whoever was signed out meanwhile, or cannot be looked up, hears no more
    const beatOrEnd = async (): Promise<void> => {
      if (await isAllowed().catch(() => false)) raw.write(': \n\n');
      else raw.end();
    };
    const beat = setInterval(() => void beatOrEnd(), BEAT_MS).unref();
    raw.once('close', () => {
      streams -= 1;
      clearInterval(beat);
      clearTimeout(due);
      leave();
    });
    return reply;
  };
}

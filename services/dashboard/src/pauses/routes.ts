/** Facility IT pauses a destination and resumes it: asked of the streamer, and audited. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerOf, finish, spend, type ActionOptions } from '../actions/order.ts';
import { onceField } from '../actions/once.ts';
import type { Person } from '../access/roles.ts';
import { html, type Html } from '../page/html.ts';
import { t } from '../texts/pages.ts';
import { field, forAction } from '../web/request.ts';

interface OfDestination {
  readonly Params: { readonly name: string };
}

type Kind = 'pause' | 'resume';

const LONGEST_REASON = 500;

export function addPauses(app: FastifyInstance, options: ActionOptions): void {
  for (const kind of ['pause', 'resume'] as const)
    app.post<OfDestination>(
      `/destinations/:name/${kind}`,
      forAction<FastifyRequest<OfDestination>>(options, 'pause', (request, reply, person) =>
        order(kind, request.params.name, request, reply, person, options),
      ),
    );
  // its name is chosen in the form
  app.post(
    '/destinations/pause',
    forAction(options, 'pause', (request, reply, person) =>
      order('pause', field(request, 'destination'), request, reply, person, options),
    ),
  );
}

async function order(
  kind: Kind,
  name: string,
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  options: ActionOptions,
): Promise<FastifyReply> {
  if (!(await spend(request, person, options, kind, name))) return reply.redirect('/series?said=again', 303);
  const reason = field(request, 'reason').trim();
  const path = `/api/destinations/${encodeURIComponent(name)}/${kind}`;
  const body = { by: person.name, ...(reason === '' ? {} : { reason }) };
  const answer = await answerOf(options.services.streamer, path, body);
  const doing = { request, what: kind, subject: name };
  return finish(answer, `/series?said=${kind}`, reply, person, options, doing);
}

/** Chooses one of the destinations, with the reason. */
export const pauseForm = (destinations: readonly string[]): Html | false =>
  destinations.length > 0 &&
  html`<details class="filters">
    <summary>${t.pauses.open}</summary>
    <form method="post" action="/destinations/pause" class="inline">
      ${onceField()}
      <label
        >${t.series.target}
        <select name="destination">
          ${destinations.map((name) => html`<option value="${name}">${name}</option>`)}
        </select></label
      >
      <label
        >${t.pauses.reason} <input name="reason" required maxlength="${LONGEST_REASON}" autocomplete="off"
      /></label>
      <button>${t.pauses.pause}</button>
      <p class="more">${t.pauses.help}</p>
    </form>
  </details>`;

/** What facility IT can do with one series: retry, give up a hook, release from quarantine, move. Each is asked of the streamer and audited. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Person } from '../access/roles.ts';
import { html } from '../page/html.ts';
import { previewAnswer } from '../sources/streamer-answers.ts';
import { t } from '../texts/pages.ts';
import { field, forAction, send, type Access } from '../web/request.ts';
import { addMany } from './many.ts';
import {
  answerOf,
  bodyOf,
  choices,
  finish,
  hidden,
  KINDS,
  orderIn,
  refusedBy,
  spend,
  type ActionOptions,
  type Kind,
} from './order.ts';
import { onceField } from './once.ts';

interface OfSeries {
  readonly Params: { readonly id: string };
}

export function addActions(app: FastifyInstance, options: ActionOptions): void {
  for (const kind of KINDS)
    app.post<OfSeries>(
      `/series/:id/${kind}`,
      forAction<FastifyRequest<OfSeries>>(options, kind, (request, reply, person) =>
        act(kind, request, reply, person, options),
      ),
    );
  for (const [path, kind] of [
    ['preview', 'release'],
    ['preview-move', 'move'],
  ] as const)
    app.post<OfSeries>(
      `/series/:id/${path}`,
      forAction<FastifyRequest<OfSeries>>(options, kind, (request, reply, person) =>
        preview(kind, request, reply, person, options),
      ),
    );
  addMany(app, options);
  addAccept(app, options);
}

interface OfCalendar {
  readonly Params: { readonly name: string };
}

function addAccept(app: FastifyInstance, options: ActionOptions): void {
  app.post<OfCalendar>(
    '/calendars/:name/accept',
    forAction<FastifyRequest<OfCalendar>>(options, 'accept', async (request, reply, person) => {
      const { name } = request.params;
      if (!(await spend(request, person, options, 'accept', name)))
        return reply.redirect('/health?said=again', 303);
      const path = `/api/board/accept/${encodeURIComponent(name)}`;
      const answer = await answerOf(options.services.cal2wl, path, {});
      const doing = { request, what: 'accept', subject: name };
      return finish(answer, '/health?said=accept', reply, person, options, doing);
    }),
  );
}

async function act(
  kind: Kind,
  request: FastifyRequest<OfSeries>,
  reply: FastifyReply,
  person: Person,
  options: ActionOptions,
): Promise<FastifyReply> {
  const { id } = request.params;
  const back = `/session/${encodeURIComponent(field(request, 'back') || id)}`;
  if (!(await spend(request, person, options, kind, id))) return reply.redirect(`${back}?said=again`, 303);
  const path = `/api/series/${encodeURIComponent(id)}/${kind}`;
  const answer = await answerOf(options.services.streamer, path, bodyOf(orderIn(request), person));
  return finish(answer, `${back}?said=${kind}`, reply, person, options, { request, what: kind, subject: id });
}

/** Where a release or a move would store the series, by the streamer's own rule, before anything is done. */
async function preview(
  kind: 'release' | 'move',
  request: FastifyRequest<OfSeries>,
  reply: FastifyReply,
  person: Person,
  { services }: Access & Pick<ActionOptions, 'services'>,
): Promise<FastifyReply> {
  const { id } = request.params;
  const order = orderIn(request);
  const { project = '', subject = '', session = '' } = order;
  const asked = `/api/board/series/${encodeURIComponent(id)}/preview`;
  const answer = await answerOf(services.streamer, asked, { project, subject, session });
  if (answer.status !== 200) return refusedBy(reply, answer);
  const { path, from } = previewAnswer.parse(answer.body);
  const back = field(request, 'back');
  const texts = kind === 'move' ? t.move : t.actions;
  const main = html`<h1>${texts.previewTitle}</h1>
    ${
      kind === 'move' &&
      html`<p>${t.move.from}</p>
        <p class="path"><code id="from">${from ?? t.move.nowhere}</code></p>`
    }
    <p>${texts.previewText}</p>
    <p class="path"><code id="preview">${path}</code></p>
    ${kind === 'move' && choices(order)}
    <form method="post" action="/series/${id}/${kind}" class="form">
      ${onceField()}${hidden({ ...order, back })}
      <button>${texts.confirm}</button>
    </form>
    <p><a href="/session/${encodeURIComponent(back || id)}">${t.actions.back}</a></p>`;
  return send(reply, { title: texts.previewTitle, main, person });
}

/** The board's web server: pages for people who signed in. */
import type { FastifyInstance } from 'fastify';
import { FailureError, messageOf } from '@scanflow/failure';
import { addRedo, type RedoOptions } from '../actions/redo.ts';
import { addActions } from '../actions/routes.ts';
import { addBookings, type BookingsOptions } from '../bookings/routes.ts';
import { addConsoles, type ConsoleOptions } from '../console/routes.ts';
import { addDays, type DayOptions } from '../day/routes.ts';
import { addHealth, type HealthOptions } from '../health/routes.ts';
import type { Watch } from '../live/watch.ts';
import { addBanners } from '../pauses/banner.ts';
import { addPauses } from '../pauses/routes.ts';
import { addAccount, type AccountOptions } from '../people/account.ts';
import { addUserPages } from '../people/users.ts';
import { addSeries, type SeriesOptions } from '../series/routes.ts';
import { addSessions, type SessionOptions } from '../session/routes.ts';
import { t } from '../texts/pages.ts';
import { addViewer } from '../viewer/routes.ts';
import { addWalkIns, type WalkInOptions } from '../walk-in/routes.ts';
import { readAssets } from './assets.ts';
import { addEvents } from './events.ts';
import { HEADERS, refusal, type Hosts } from './guard.ts';
import { notFound, readForms, sendMessage } from './request.ts';
import { addSignIn, type SignInOptions } from './sign-in.ts';

export interface AppOptions
  extends
    SignInOptions,
    DayOptions,
    SessionOptions,
    SeriesOptions,
    BookingsOptions,
    HealthOptions,
    AccountOptions,
    WalkInOptions,
    ConsoleOptions,
    RedoOptions {
  readonly hosts: Hosts;
  readonly watch: Pick<Watch, 'follow'>;
  /** An error that no route expected, for the log. */
  readonly onError: (route: string, error: unknown) => void;
}

/** Adds the guard and the pages. */
export function addPages(app: FastifyInstance, options: AppOptions): void {
  guard(app, options);
  readForms(app);
  for (const [name, { type, body }] of readAssets())
    app.get(`/assets/${name}`, (_request, reply) => reply.type(type).send(body));
  app.decorateReply('zone', options.facility.timezone);
  addBanners(app, options);
  addSignIn(app, options);
  addDays(app, options);
  addSessions(app, options);
  addSeries(app, options);
  addBookings(app, options);
  addHealth(app, options);
  addAccount(app, options);
  addUserPages(app, options);
  addActions(app, options);
  addRedo(app, options);
  addPauses(app, options);
  addViewer(app);
  addWalkIns(app, options);
  addConsoles(app, options);
  addEvents(app, options.watch, options);
  app.setNotFoundHandler((_request, reply) => notFound(reply));
  app.setErrorHandler((error, request, reply) => {
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
    if (status < 500) return sendMessage(reply, status, t.refused, messageOf(error));
    options.onError(request.routeOptions.url ?? 'unknown', error);
    // of our own database: its message says what facility IT can do
    return error instanceof FailureError
      ? sendMessage(reply, 503, t.failed.title, error.message)
      : sendMessage(reply, 500, t.failed.title, t.failed.text);
  });
}

function guard(app: FastifyInstance, { hosts }: AppOptions): void {
  app.addHook('onRequest', async ({ method, headers, protocol }, reply) => {
    reply.headers(HEADERS);
    const refused = refusal({ method, headers, protocol }, hosts);
    return refused === undefined ? undefined : sendMessage(reply, 403, t.refused, refused);
  });
}

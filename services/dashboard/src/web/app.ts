/** The web server of the board: pages for people who signed in, and the files that pages load. */
import type { FastifyInstance } from 'fastify';
import { FailureError, messageOf, type Failure } from '@scanflow/failure';
import { readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { addRedo, type RedoOptions, addActions } from '../actions/routes.ts';
import { addBookings, type BookingsOptions } from '../bookings/routes.ts';
import { addConsoles, type ConsoleOptions } from '../console/routes.ts';
import { addDays, type DayOptions } from '../day/routes.ts';
import { addHealth, type HealthOptions } from '../health/routes.ts';
import type { Watch } from '../sources/watch.ts';
import { addBanners, addPauses } from '../pauses/routes.ts';
import { addAccount, type AccountOptions } from '../people/account.ts';
import { addUserPages } from '../people/users.ts';
import { addSeries, type SeriesOptions } from '../series/routes.ts';
import { addSessions, type SessionOptions } from '../session/routes.ts';
import { t } from '../texts/pages.ts';
import { addViewer } from '../viewer/routes.ts';
import { addWalkIns, type WalkInOptions } from '../walk-in/routes.ts';
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
  /** Why this dashboard serves no pages now: another one leads. */
  readonly standby?: () => Failure | undefined;
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

function guard(app: FastifyInstance, { hosts, standby }: AppOptions): void {
  app.addHook('onRequest', async ({ method, headers, protocol, routeOptions }, reply) => {
    reply.headers(HEADERS);
    const refused = refusal({ method, headers, protocol }, hosts);
    if (refused !== undefined) return sendMessage(reply, 403, t.refused, refused);
    const waits = routeOptions.url?.startsWith('/assets/') === true ? undefined : standby?.();
    return waits && sendMessage(reply, 503, t.standby, waits.message);
  });
}

// What pages load: our style, our modules as JavaScript, and idiomorph. Read and stripped of types once, at start.

interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const CLIENT = join(import.meta.dirname, '../../client');
const SCRIPT = 'text/javascript; charset=utf-8';

/** Spaces take the place of types, so that lines and columns in a browser's messages are those of the source. */
const stripped = (name: string): Asset => ({
  type: SCRIPT,
  body: Buffer.from(stripTypeScriptTypes(readFileSync(join(CLIENT, `${name}.ts`), 'utf8'))),
});

/** By their path below `/assets/`. */
function readAssets(): ReadonlyMap<string, Asset> {
  const idiomorph = createRequire(import.meta.url).resolve('idiomorph/dist/idiomorph.min.js');
  return new Map([
    [
      'board.css',
      { type: 'text/css; charset=utf-8', body: readFileSync(join(import.meta.dirname, '../page/board.css')) },
    ],
    [
      'console.css',
      {
        type: 'text/css; charset=utf-8',
        body: readFileSync(join(import.meta.dirname, '../console/console.css')),
      },
    ],
    [
      'icon.svg',
      { type: 'image/svg+xml', body: readFileSync(join(import.meta.dirname, '../page/icon.svg')) },
    ],
    ['board.js', stripped('board')],
    // the package ships its small form as a script alone: as a module it has to say what it exports
    [
      'idiomorph.js',
      {
        type: SCRIPT,
        body: Buffer.concat([readFileSync(idiomorph), Buffer.from('\nexport { Idiomorph };\n')]),
      },
    ],
  ]);
}

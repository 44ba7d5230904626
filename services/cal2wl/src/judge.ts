/** Events to outcomes: the rules of one calendar, and the lists of projects that its bookings may name. */
import { bookingRules, type Config } from '@scanflow/config';
import { type Failure, messageOf } from '@scanflow/failure';
import { type Projects, parseProjects, WALK_IN } from '@scanflow/booking';
import type { CalendarContent } from '@scanflow/calendar';
import { createPlanner, type Plan } from '@scanflow/identity';
import { readFile } from 'node:fs/promises';
import type { Log } from '@scanflow/runtime';
import { type Source, type Validators, fileSource, httpSource } from '@scanflow/sources';
import { join } from 'node:path';
import { isLeaseGone, OWN_FILES, type Files } from './lead.ts';

const NOTHING: CalendarContent = {
  events: [],
  problems: [],
  outside: new Set(),
  unreadable: { uids: new Set(), instances: new Set() },
  notes: [],
};

export class Judge {
  readonly #config: Config;
  readonly #calendar: string;
  readonly #list: ProjectList | undefined;
  #projects: Projects | undefined;
  #plan: ((content: CalendarContent) => Plan) | undefined;

  constructor(config: Config, calendar: string, list: ProjectList | undefined) {
    this.#config = config;
    this.#calendar = calendar;
    this.#list = list;
  }

  async judge(
    content: CalendarContent | undefined,
    now: Temporal.Instant,
    signal: AbortSignal,
  ): Promise<{ plan: Plan; failure: Failure | undefined }> {
    const read = await this.#list?.read(now, signal);
    if (this.#plan === undefined || this.#projects !== read?.projects) {
      this.#projects = read?.projects;
      const rules = bookingRules(this.#config, this.#calendar);
      this.#plan = createPlanner(
        this.#projects === undefined ? rules : { ...rules, projects: this.#projects },
      );
    }
    return { plan: this.#plan(content ?? NOTHING), failure: read?.failure };
  }
}

export interface ProjectList {
  /**
   * Fetches at most every few minutes. `projects` is undefined before the first good reading: then any project is accepted.
   * Throws where this cal2wl no longer leads.
   */
  read(
    now: Temporal.Instant,
    signal: AbortSignal,
  ): Promise<{ projects: Projects | undefined; failure: Failure | undefined }>;
}

const EVERY = Temporal.Duration.from({ minutes: 5 });
const MODE = 0o640;

interface Keeping {
  /** Path of the copy that outlives a restart. */
  readonly lastGood: string;
  readonly files: Files;
  readonly log: Log;
}

function projectList(source: Source, { lastGood, files, log }: Keeping): ProjectList {
  let projects: Projects | undefined;
  let text: string | undefined;
  let failure: Failure | undefined;
  let validators: Validators = {};
  let next: Temporal.Instant | undefined;
  const take = async (content: string): Promise<Failure | undefined> => {
    const parsed = parseProjects(content);
    if (!parsed.ok)
      return {
        kind: 'permanent',
        code: 'PROJECTS_UNREADABLE',
        message: `${parsed.problem} Write one project a line, or a JSON array as docs/booking-reference.md#who-may-book-a-project shows; its last good content counts until then.`,
      };
    if (content === text) return undefined;
    [projects, text] = [parsed.projects, content];
    await files.write(lastGood, content, MODE).catch((error: unknown) => {
      if (isLeaseGone(error)) throw error;
      log.warn('the list of projects could not be kept', { reason: messageOf(error) });
    });
    return undefined;
  };
  return {
    async read(now, signal) {
      if (text === undefined) {
        text = await readFile(lastGood, 'utf8').catch(() => '');
        const kept = parseProjects(text);
        projects = kept.ok ? kept.projects : undefined;
      }
      if (next !== undefined && Temporal.Instant.compare(now, next) < 0) return { projects, failure };
      next = now.add(EVERY);
      const fetched = await source.fetch(projects === undefined ? {} : validators, signal);
      if (fetched.kind === 'failed') failure = fetched.failure;
      else if (fetched.kind === 'notModified') failure = undefined;
      else {
        failure = await take(Buffer.from(fetched.bytes).toString('utf8'));
        if (failure === undefined) ({ validators } = fetched);
      }
      return { projects, failure };
    },
  };
}

const LIMITS = { timeoutMs: 30_000, maxSize: 4_194_304 };

/** By calendar, and under `walk-in` the facility's own list. Leaves out calendars that accept any project. */
export function projectsOf(
  config: Config,
  log: Log,
  files: Files = OWN_FILES,
): ReadonlyMap<string, ProjectList> {
  const facility = config.bookings.projects;
  const all = Object.entries(config.calendars).map(
    ([name, own]) => [name, own.projects ?? facility] as const,
  );
  return new Map(
    [[WALK_IN, facility] as const, ...all].flatMap(([name, { file, url, redirects } = {}]) => {
      if (file === undefined && url === undefined) return [];
      const source =
        url === undefined ? fileSource(file ?? '', LIMITS) : httpSource({ url, redirects, ...LIMITS });
      const lastGood = join(config.data, 'cal2wl', `${name}.projects`);
      return [[name, projectList(source, { lastGood, files, log: log.child({ calendar: name }) })] as const];
    }),
  );
}

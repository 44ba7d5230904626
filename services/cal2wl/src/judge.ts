/** Keeps the rules of one calendar over many passes. A changed list of projects judges all events again. */
import { bookingRules, type Config } from '@scanflow/config';
import type { Failure } from '@scanflow/failure';
import type { Projects } from '@scanflow/booking';
import type { CalendarContent } from '@scanflow/calendar';
import { createPlanner, type Plan } from '@scanflow/identity';
import type { ProjectList } from './projects.ts';

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

/** Opens the lists of projects that the configuration names, by calendar. */
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import type { Log } from '@scanflow/runtime';
import { fileSource, httpSource } from '@scanflow/sources';
import { projectList, type ProjectList } from './projects.ts';

const LIMITS = { timeoutMs: 30_000, maxSize: 4_194_304 };

/** Leaves out calendars that accept any project. */
export function projectsOf(config: Config, log: Log): ReadonlyMap<string, ProjectList> {
  return new Map(
    Object.entries(config.calendars).flatMap(([name, own]) => {
      const { file, url, redirects } = own.projects ?? config.bookings.projects ?? {};
      if (file === undefined && url === undefined) return [];
      const source =
        url === undefined ? fileSource(file ?? '', LIMITS) : httpSource({ url, redirects, ...LIMITS });
      const lastGood = join(config.data, 'cal2wl', `${name}.projects`);
      return [[name, projectList(source, lastGood, log.child({ calendar: name }))] as const];
    }),
  );
}

/** The list of projects that a calendar's bookings may name. While it is unreadable, its last good copy counts. */
import { readFile } from 'node:fs/promises';
import { parseProjects, type Projects } from '@scanflow/booking';
import { messageOf, type Failure } from '@scanflow/failure';
import { writeFileAtomic, type Log } from '@scanflow/runtime';
import type { Source, Validators } from '@scanflow/sources';

export interface ProjectList {
  /** Fetches at most every few minutes. `projects` is undefined before the first good reading: then any project is accepted. */
  read(
    now: Temporal.Instant,
    signal: AbortSignal,
  ): Promise<{ projects: Projects | undefined; failure: Failure | undefined }>;
}

const EVERY = Temporal.Duration.from({ minutes: 5 });
const MODE = 0o640;

/** `lastGood` is the path of the copy that outlives a restart. */
export function projectList(source: Source, lastGood: string, log: Log): ProjectList {
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
        message: `${parsed.problem} Write one project a line, or a JSON array as docs/booking.md shows; its last good content counts until then.`,
      };
    if (content === text) return undefined;
    [projects, text] = [parsed.projects, content];
    await writeFileAtomic(lastGood, content, { mode: MODE }).catch((error: unknown) =>
      log.warn('the list of projects could not be kept', { reason: messageOf(error) }),
    );
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

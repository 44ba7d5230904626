/** Whether Orthanc takes images at this moment, for /healthz: scanners would notice only when they send. */
import type { Log } from '@scanflow/runtime';
import type { Orthanc } from './adapters/orthanc.ts';

const EVERY_MS = 10_000;

export interface OrthancWatch {
  /** Why it does not; undefined where it does, or nobody knows yet. */
  readonly trouble: () => string | undefined;
  /** Whether it may replace an instance by what is sent again, so that it has to be asked first what it has. */
  readonly mayOverwrite: () => boolean;
  readonly close: () => void;
}

export function watchOrthanc(orthanc: Orthanc, log: Log, everyMs = EVERY_MS): OrthancWatch {
  let trouble: string | undefined;
  let mayOverwrite = true;
  const look = async (): Promise<void> => {
    const answer = await orthanc.ask('GET', '/system');
    const now = !answer.answered
      ? `Orthanc does not answer: ${answer.why}; check that it runs, and orthanc.url`
      : answer.status === 200
        ? undefined
        : `Orthanc answers ${answer.status}; correct orthanc.username and orthanc.passwordFile`;
    if (now !== trouble)
      if (now === undefined) log.info('orthanc.answers');
      else log.warn('orthanc.away', { reason: now });
    trouble = now;
    if (answer.answered && answer.status === 200) mayOverwrite = overwrites(answer.body);
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, everyMs);
  timer.unref();
  return {
    trouble: () => trouble,
    mayOverwrite: () => mayOverwrite,
    close: () => clearInterval(timer),
  };
}

/** Orthanc 1.10 does not tell; 1.13 has words for it. */
function overwrites(system: Buffer): boolean {
  try {
    const { OverwriteInstances } = JSON.parse(system.toString('utf8')) as Record<string, unknown>;
    return OverwriteInstances !== false && OverwriteInstances !== 'Never';
  } catch {
    return true;
  }
}

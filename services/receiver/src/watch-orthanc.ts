/** Whether Orthanc takes images at this moment, for /healthz: scanners would notice only when they send. */
import type { Log } from '@scanflow/chassis';
import type { Orthanc } from './adapters/orthanc.ts';

const EVERY_MS = 10_000;

export interface OrthancWatch {
  /** Why it does not; undefined where it does, or nobody knows yet. */
  readonly trouble: () => string | undefined;
  readonly close: () => void;
}

export function watchOrthanc(orthanc: Orthanc, log: Log, everyMs = EVERY_MS): OrthancWatch {
  let trouble: string | undefined;
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
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, everyMs);
  timer.unref();
  return { trouble: () => trouble, close: () => clearInterval(timer) };
}

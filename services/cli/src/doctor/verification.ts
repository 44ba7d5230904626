/** What reading stored files again found, and whether that keeps up. */
import { failed, ok, skipped, warning, type Check, type Finding } from './finding.ts';
import { askApi } from './pages.ts';
import { sees, type Place } from './place.ts';

export const verificationChecks = (place: Place): Check[] =>
  sees(place, 'streamer') ? [{ name: 'verification', run: (signal) => lookAt(place, signal) }] : [];

async function lookAt(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const page = await askApi(place.config, 'streamer', '/api/verify', signal);
  const said = 'trouble' in page ? undefined : page.body['verify'];
  if (typeof said !== 'object' || said === null)
    return [skipped('the streamer, which verifies, cannot be asked', 'See secrets and streamer above.')];
  const { every } = place.config.storage.verify;
  return judgeVerification(
    said,
    every === 'never' ? undefined : every,
    Temporal.Now.instant().epochMilliseconds,
  );
}

export interface VerifySummary {
  readonly failing?: Readonly<Record<string, number>>;
  readonly acknowledged?: number;
  readonly trouble?: Readonly<Record<string, number>>;
  /** When the next one is due, in milliseconds since the epoch. */
  readonly due?: number;
}

const DAY_MS = 86_400_000;

/** Pure. `every`: in milliseconds; undefined: never. */
export function judgeVerification(summary: VerifySummary, every: number | undefined, now: number): Finding[] {
  const { failing = {}, acknowledged = 0, trouble = {}, due } = summary;
  const findings = [
    ...Object.entries(failing).map(([code, count]) =>
      failed(
        `the files of ${count} series are not what was stored`,
        'scanflow series list --state failed tells which; scanflow verify ID --repair puts back what it can, scanflow verify acknowledge says why it may be so.',
        code,
      ),
    ),
    ...Object.entries(trouble).map(([code, count]) =>
      warning(`${count} series could not be verified the last time`, 'See docs/failures.md.', code),
    ),
    ...(due === undefined || every === undefined || now - due < Math.max(every, DAY_MS)
      ? []
      : [
          warning(
            `verification is ${Math.floor((now - due) / DAY_MS)} days behind`,
            'Raise storage.verify.rate, give it more hours, or verify less often (storage.verify.every).',
          ),
        ]),
  ];
  if (findings.length > 0) return findings;
  const known = acknowledged === 0 ? '' : `; ${acknowledged} series are not, which somebody has acknowledged`;
  return [ok(`every file that was read again is what was stored${known}`)];
}

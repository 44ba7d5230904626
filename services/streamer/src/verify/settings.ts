/** Verification as the configuration has it. */
import type { Config } from '@scanflow/chassis';
import { hoursOf, type Opening } from '../send/hours.ts';
import type { Rate } from '../send/gate.ts';
import type { VerifyTimes } from './types.ts';

export interface VerifySettings extends VerifyTimes {
  readonly rate: Rate;
  /** Of reading by schedule; always open where undefined. */
  readonly hours: ((now: number) => Opening) | undefined;
}

export function verifySettings({
  storage: { verify },
  facility,
}: Pick<Config, 'storage' | 'facility'>): VerifySettings {
  return {
    every: verify.every === 'never' ? undefined : verify.every,
    until: verify.until,
    rate: verify.rate,
    hours: hoursOf(verify.schedule, facility.timezone),
  };
}

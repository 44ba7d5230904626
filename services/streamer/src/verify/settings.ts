/** Verification's settings from the configuration. */
import type { Config } from '@scanflow/config';
import { hoursOf, type Opening } from '../send/hours.ts';
import type { Rate } from '../send/gate.ts';
import type { VerifyTimes } from './types.ts';

export interface VerifySettings extends VerifyTimes {
  readonly rate: Rate;
  /** Hours in which the schedule reads; always if undefined. */
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

/** What the ledger keeps of a stored series, by its record. */
import type { Settings } from '../model/settings.ts';
import type { SeriesRecord } from '../ports.ts';
import { judge, SENT_BY, traitsOfRecord } from '../send/rule.ts';
import type { Attributes } from './place/route.ts';

/** Other bytes under a UID that was there: they are kept, and are no further image of the series. */
export const differingIn = ({ instances }: SeriesRecord): number =>
  instances.filter(({ differsFrom }) => differsFrom !== undefined).length;

/** Destinations whose rule lets this series go there. */
export const targetsOf = ({ destinations }: Pick<Settings, 'destinations'>, record: SeriesRecord): string[] =>
  destinations.filter(({ when }) => judge(when, traitsOfRecord(record)).wanted).map(({ name }) => name);

/** The attributes with who sent them, as the ledger keeps them: what people see of the rules is worked out from there. */
export const attributesOf = (record: SeriesRecord): Attributes => {
  const { aet } = traitsOfRecord(record);
  return aet === '' ? record.attributes : { ...record.attributes, [SENT_BY]: aet };
};

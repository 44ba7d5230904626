/** AE titles with which images come: of which scanner they are, and whether they are taken. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

/** AE title → name of the scanner: the title with which it queries, and those with which it sends. */
export const sendersOf = (scanners: Config['scanners']): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(scanners).flatMap(([name, { aet, sends = [] }]) =>
      [aet, ...sends].map((title) => [title, name] as const),
    ),
  );

/** Whether images of this AE title may go to projects; without `from`, those of everybody. */
export function admits(
  from: Config['arrivals']['from'],
  senders: ReadonlyMap<string, string>,
  aet: string,
): boolean {
  if (from === undefined || from === 'any') return true;
  return from === 'scanners' ? senders.has(aet) : from.includes(aet);
}

/** An AE title tells one scanner from another, so it belongs to one. */
export function senderRules(scanners: Config['scanners']): Finding[] {
  const owners = new Map(Object.entries(scanners).map(([name, { aet }]) => [aet, name]));
  return Object.entries(scanners).flatMap(([name, { sends = [] }]) =>
    sends.flatMap((title, index): Finding[] => {
      const path = ['scanners', name, 'sends', String(index)];
      const owner = owners.get(title);
      owners.set(title, owner ?? name);
      if (sends.indexOf(title) < index) return [{ path, message: `${title} stands in the list already` }];
      if (owner === undefined || owner === name) return [];
      return [{ path, message: `${owner} has the AE title ${title} already; each scanner needs its own` }];
    }),
  );
}

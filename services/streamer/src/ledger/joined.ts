/** Joined series in the ledger: which series stands for which. */
import type { Tx, Millis } from './tx.ts';
import { parse } from './views.ts';
import { groupFor, type JoinTraits, type Joinable, type Member } from '../joining/rule.ts';

/** The series that stands for this one in the ledger: itself where it was joined with none. */
export async function leadOf(tx: Tx, series: string): Promise<string> {
  const row = await tx.get('SELECT lead FROM joined WHERE series = ?', [series]);
  return row === undefined ? series : String(row['lead']);
}

/** Which series stand for these; what is new among them is joined where it is a part of another. */
export async function leadsOf(
  tx: Tx,
  series: readonly string[],
  joinable: Joinable | undefined,
): Promise<Map<string, string>> {
  const leads = new Map<string, string>();
  for (const id of series) {
    const traits = joinable?.traits.get(id);
    if (joinable !== undefined && traits !== undefined) await join(tx, id, traits, joinable.withinMs);
    leads.set(id, await leadOf(tx, id));
  }
  return leads;
}

async function join(tx: Tx, series: string, traits: JoinTraits, withinMs: number): Promise<void> {
  if ((await tx.get('SELECT 1 AS one FROM joined WHERE series = ?', [series])) !== undefined) return;
  const rows = await tx.all(
    'SELECT lead, min(at) AS begun, max(at) AS ended FROM joined WHERE alike = ? GROUP BY lead ORDER BY lead',
    [traits.alike],
  );
  const groups = rows.map((row) => ({
    lead: String(row['lead']),
    from: Number(row['begun']),
    to: Number(row['ended']),
  }));
  const { lead } = groupFor(traits, groups, withinMs) ?? { lead: series };
  await insert(tx, series, lead, traits);
}

async function insert(
  tx: Tx,
  series: string,
  lead: string,
  { alike, at, study, uid }: Partial<JoinTraits> & Pick<JoinTraits, 'study' | 'uid'>,
): Promise<void> {
  const before = await tx.get('SELECT count(*) AS n FROM joined WHERE lead = ?', [lead]);
  await tx.run(
    `INSERT INTO joined (series, lead, alike, at, study, uid, ord) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (series) DO NOTHING`,
    [series, lead, alike ?? null, at ?? null, study, uid, Number(before?.['n'])],
  );
}

/** All series that count as this one, the one that leads first; none where it is alone. */
export async function membersOf(tx: Tx, lead: string): Promise<Member[]> {
  const rows = await tx.all(
    'SELECT series, study, uid, digest, alike, at FROM joined WHERE lead = ? ORDER BY series = lead DESC, ord',
    [lead],
  );
  return rows.map((row) => ({
    series: String(row['series']),
    study: String(row['study']),
    uid: String(row['uid']),
    digest: parse.text(row['digest']),
    traits: traitsIn(parse.text(row['alike']), parse.integer(row['at'])),
  }));
}

const traitsIn = (alike: string | undefined, at: number | null): Member['traits'] =>
  alike === undefined || at === null ? undefined : { alike, at };

/** Digests of what was stored of each. */
export async function storedParts(tx: Tx, digests: ReadonlyMap<string, string>): Promise<void> {
  for (const [series, digest] of digests)
    await tx.run('UPDATE joined SET digest = ? WHERE series = ?', [digest, series]);
}

/** Whatever the series was doing, its quiet timer starts anew. */
export async function touch(tx: Tx, series: string, now: Millis, due: Millis): Promise<void> {
  await tx.run(
    `INSERT INTO series (id, state, due, first_seen, updated) VALUES (?, 'collecting', ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET due = excluded.due, state = 'collecting',
       updated = excluded.updated`,
    [series, due, now, now],
  );
}

/** Makes each of these groups a series of its own, which is looked at now. */
export async function partGroups(tx: Tx, groups: readonly (readonly string[])[], now: Millis): Promise<void> {
  for (const group of groups) {
    const [lead] = group;
    if (lead === undefined) continue;
    for (const series of group)
      await tx.run('UPDATE joined SET lead = ?, digest = NULL WHERE series = ?', [lead, series]);
    await touch(tx, lead, now, now);
  }
}

/** As `series.json` says, for a ledger that is made anew. */
export async function rejoin(tx: Tx, lead: string, all: readonly Omit<Member, 'digest'>[]): Promise<void> {
  for (const { series, study, uid, traits } of all) await insert(tx, series, lead, { study, uid, ...traits });
}

/** One look at everything, and what follows: messages are written down in the transaction that decides on them. One streamer does it at a time. */
import { createHash, randomUUID } from 'node:crypto';
import { BIDS, IT_TOPICS } from '@scanflow/config';
import type { Notice } from '@scanflow/notify';
import { lead } from '../ledger/claims.ts';
import type { Millis, Tx } from '../ledger/tx.ts';
import type { LoopDeps } from '../work/deps.ts';
import { calendarFacts, heard, ledgerFacts, machineFact, sessionFact, untoldSessions } from './look.ts';
import { SESSION } from './matters-people.ts';
import { closingOf, isUnknown, pictureOf, openStep, overStep, type Moment, type Step } from './plan.ts';
import {
  addTopic,
  dropTopic,
  enqueue,
  forgetThread,
  keepThread,
  lastHour,
  pruneNotices,
  threadKey,
  threads,
  topicsSince,
  withdraw,
} from './sql.ts';
import type { Notices } from './settings.ts';
import type { Facts, Matter, NoticeState, Picture, Recipient, Thread } from './types.ts';

const LEASE = 'notices';
/** Of sessions and bookings, what was there before notices were turned on is not told. */
const SESSIONS = 'sessions';
const TAKEN = 'taken';
const ALL = 1_000_000;
/** A message that is over is shown for so long. */
const KEPT_MS = 30 * 86_400_000;

/** Looks, decides, and writes down what is to be told. How many messages; undefined while another streamer does it. */
export async function decide(
  notices: Notices,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { ledger, clock } = deps;
  if (!(await ledger.write(lead, clock.now(), LEASE))) return undefined;
  const topics = await ledger.read(topicsSince);
  if (!topics.has(SESSIONS)) await ledger.write(passOver, deps.sessionQuietMs, clock.now());
  const facts = await factsNow(notices, deps, signal, topics);
  const picture = pictureOf(facts, notices.it, notices.people);
  const { written } = await ledger.write(apply, picture, { notices, facts, topics }, clock.now());
  if (written > 0) deps.wakes.after.notify();
  return written;
}

/** The sessions of before count as told. */
async function passOver(tx: Tx, quietMs: Millis, now: Millis): Promise<void> {
  for (const { id, increment } of await untoldSessions(tx, { quietMs, now, limit: ALL }))
    await markSession(tx, id, [String(increment)], now);
  await addTopic(tx, SESSIONS, now);
}

const NOBODY: Recipient = { channel: '', address: '' };

const markSession = (tx: Tx, id: string, told: readonly string[], now: Millis): Promise<void> =>
  keepThread(
    tx,
    {
      ...{ matter: `${SESSION}${id}`, recipient: NOBODY, topic: 'stored', role: 'project', heading: '' },
      ...{ told, since: now, gone: undefined, toldAt: now },
    },
    now,
  );

async function factsNow(
  { it, services, silent }: Notices,
  deps: LoopDeps,
  signal: AbortSignal,
  topics: ReadonlyMap<string, Millis>,
): Promise<Facts> {
  const { ledger, clock, condition } = deps;
  const found = it === undefined ? NO_FACTS : await ledger.read(ledgerFacts, it.waiting, clock.now());
  const verdictMs = deps.context.hooks?.has(BIDS) === true ? VERDICT_MS : undefined;
  const look = { quietMs: deps.sessionQuietMs, now: clock.now(), verdictMs };
  const untold = await ledger.read(untoldSessions, look);
  const sessions = (await Promise.all(untold.map((one) => sessionFact(deps, one)))).filter(
    (one) => one !== undefined,
  );
  const cal2wl = services.find(({ name }) => name === 'cal2wl');
  const [calendars, ...answers] = await Promise.all([
    cal2wl === undefined ? undefined : calendarFacts(cal2wl, signal),
    ...services.map((one) => machineFact(one, signal)),
  ]);
  const now = clock.now();
  const machines = new Map(services.map(({ name }, index) => [name, answers[index]]));
  for (const [name, answer] of machines)
    if (answer !== undefined) silent.delete(name);
    else if (!silent.has(name)) silent.set(name, now);
  const known = [...silent].filter(([name]) => topics.has(serviceTopic(name)));
  return {
    ...found,
    now,
    sessions,
    machines,
    calendars: calendars?.calendars,
    events: calendars?.events,
    troubles: condition.troubles(now),
    away: known.map(([service, since]) => ({ service, since })),
  };
}

/** People get one message with the verdict. Where the conversion takes longer than this, the verdict follows in a second one. */
const VERDICT_MS = 30 * 60_000;

const NO_FACTS = { quarantined: [], failed: [], waiting: [], verification: [], hooks: [] } as const;

const serviceTopic = (name: string): string => `service:${name}`;

interface Known {
  readonly notices: Notices;
  readonly facts: Facts;
  readonly topics: ReadonlyMap<string, Millis>;
}

async function apply(tx: Tx, picture: Picture, known: Known, now: Millis): Promise<{ written: number }> {
  const { notices, facts } = known;
  // between the look and now another may have taken over
  if (!(await lead(tx, now, LEASE))) return { written: 0 };
  await pruneNotices(tx, notices.channels, KEPT_MS, now);
  const isFirst = await keepTopics(tx, known, now);
  const events = picture.matters.filter(({ event }) => event).map(({ key }) => key);
  const all = await threads(tx, [...IT_TOPICS, 'rejected'], events);
  const desk = new Desk(tx, notices, now, await lastHour(tx, now));
  const waiting = new Set<string>();
  for (const matter of picture.matters)
    for (const recipient of matter.to) {
      const key = threadKey(matter.key, recipient);
      if (matter.topic === TAKEN && isFirst) await desk.passOver(matter, recipient);
      else if ((await desk.open(matter, recipient, all.get(key))) === 'wait') waiting.add(matter.key);
      all.delete(key);
    }
  for (const session of facts.sessions)
    if (!waiting.has(`${SESSION}${session.id}`)) await markSession(tx, session.id, heard(session), now);
  for (const thread of all.values())
    if (!isUnknown(thread, picture) && !events.includes(thread.matter)) await desk.over(thread, picture);
  return { written: desk.written };
}

/** Whether bookings that are taken are wanted from now on: those of before are not told. */
async function keepTopics(tx: Tx, { notices, facts, topics }: Known, now: Millis): Promise<boolean> {
  for (const [name, answer] of facts.machines)
    if (answer !== undefined && !topics.has(serviceTopic(name))) await addTopic(tx, serviceTopic(name), now);
  const isWanted = notices.people.booker?.topics.has(TAKEN) === true;
  if (!isWanted && topics.has(TAKEN)) await dropTopic(tx, TAKEN);
  if (!isWanted || topics.has(TAKEN) || facts.events === undefined) return false;
  await addTopic(tx, TAKEN, now);
  return true;
}

/** Writes what the steps say, recipient by recipient. */
class Desk {
  readonly #tx: Tx;
  readonly #notices: Notices;
  readonly #now: Millis;
  readonly #counts: Map<string, number>;
  readonly #quiet: boolean;
  written = 0;

  constructor(tx: Tx, notices: Notices, now: Millis, counts: ReadonlyMap<string, number>) {
    this.#tx = tx;
    this.#notices = notices;
    this.#now = now;
    this.#counts = new Map(counts);
    this.#quiet = notices.quiet?.(now).open === true;
  }

  #moment(recipient: Recipient): Moment {
    const { gather, again, most } = this.#notices.notify;
    const room = most - (this.#counts.get(threadKey('', recipient)) ?? 0);
    return { now: this.#now, quiet: this.#quiet, room, gatherMs: gather, againMs: again };
  }

  async open(matter: Matter, recipient: Recipient, thread: Thread | undefined): Promise<Step['kind']> {
    const step = openStep(matter, thread, this.#moment(recipient));
    const base = thread ?? newThread(matter, recipient, this.#now);
    if (step.kind === 'tell') {
      await this.#tell(base, step.state, noticeOf(matter), step.replaces);
      const told = matter.items.map(({ id }) => id);
      await this.#keep({ ...base, heading: matter.heading, told, gone: undefined, toldAt: this.#now });
    } else if (
      step.kind === 'back' ||
      (step.kind === 'wait' && (thread?.gone !== undefined || thread === undefined))
    )
      await this.#keep({ ...base, gone: undefined });
    return step.kind;
  }

  /** As if it were told. */
  passOver(matter: Matter, recipient: Recipient): Promise<void> {
    const told = matter.items.map(({ id }) => id);
    return this.#keep({ ...newThread(matter, recipient, this.#now), told, toldAt: this.#now });
  }

  async over(thread: Thread, picture: Picture): Promise<void> {
    const closing = isWanted(thread, this.#notices) ? closingOf(thread, picture) : undefined;
    const urgent = this.#notices.it?.urgent.has(thread.topic) === true;
    const step = overStep(thread, { spoken: closing !== undefined, urgent }, this.#moment(thread.recipient));
    if (step.kind === 'gone') await this.#keep({ ...thread, gone: this.#now });
    if (step.kind === 'tell')
      await this.#tell(
        thread,
        step.state,
        { items: [], more: 0, heading: thread.heading, paragraphs: [], ...closing },
        step.replaces,
      );
    if (step.kind === 'forget' && step.withdraws !== undefined) await withdraw(this.#tx, step.withdraws);
    if (step.kind === 'forget' || step.kind === 'tell')
      await forgetThread(this.#tx, thread.matter, thread.recipient);
  }

  #keep(thread: Thread): Promise<void> {
    return keepThread(this.#tx, thread, this.#now);
  }

  async #tell(thread: Thread, state: NoticeState, said: Said, replaces: string | undefined): Promise<void> {
    const { matter, recipient, topic, role } = thread;
    const key = threadKey('', recipient);
    if (replaces !== undefined) await withdraw(this.#tx, replaces);
    else this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    const notice: Notice = {
      id: randomUUID(),
      thread: createHash('sha256').update(threadKey(matter, recipient)).digest('hex').slice(0, 32),
      ...{ role, topic, state, ...said },
      facility: this.#notices.facility,
      at: Temporal.Instant.fromEpochMilliseconds(this.#now).toString(),
    };
    await enqueue(this.#tx, notice, thread, this.#now);
    this.written += 1;
  }
}

/** Otherwise the configuration has changed, and nothing is over: the topic or the recipient was taken out. */
function isWanted({ role, topic, recipient }: Thread, { it, people: { booker } }: Notices): boolean {
  if (role === 'booker') return booker?.topics.has(topic) === true;
  const key = threadKey('', recipient);
  return it?.topics.has(topic) === true && it.to.some((one) => threadKey('', one) === key);
}

type Said = Pick<Notice, 'heading' | 'items' | 'more' | 'paragraphs' | 'link'>;

const newThread = ({ key, topic, role, heading }: Matter, recipient: Recipient, now: Millis): Thread => ({
  ...{ matter: key, recipient, topic, role, heading, told: [] },
  ...{ since: now, gone: undefined, toldAt: undefined },
});

/** Of a message: the rest is a number. */
const MOST_ITEMS = 20;

const noticeOf = ({ heading, items, more, paragraphs, link }: Matter): Said => ({
  heading,
  items: items.slice(0, MOST_ITEMS).map(({ text }) => text),
  more: more + Math.max(0, items.length - MOST_ITEMS),
  paragraphs,
  ...(link === undefined ? {} : { link }),
});

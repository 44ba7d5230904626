/** What the services answer, as checks: good or not, and what to do; and what they try out when somebody presses "Check now". */
import { HOOK_WAITS_HOURS } from '@scanflow/config';
import { defined } from '@scanflow/failure/defined';
import { gigabytes, judgeRoom } from '@scanflow/runtime';
import { visible } from '@scanflow/runtime/visible';
import type { z } from 'zod';
import { FailureError } from '@scanflow/failure';
import type { Away } from '../journey/facts.ts';
import { html, type Html, clockTime, exactTime } from '../page/html.ts';
import { type RefusedCallers, type problemsAnswer, triedAnswer } from '../sources/answers.ts';
import type { Counts, streamerHealth, strangersAnswer } from '../sources/streamer-answers.ts';
import { t } from '../texts/pages.ts';
import type { Machine, ServiceHealth } from './look.ts';
import type { Answered, Services } from '../sources/service.ts';

export interface Check {
  readonly name: string;
  readonly state: 'good' | 'warn' | 'bad' | 'unknown';
  readonly text: string;
  readonly todo?: Html | string | undefined;
}

/** What cannot be known now. */
export const dark = ({ since }: Away, timezone: string): Check[] => [
  { name: '', state: 'unknown', text: t.away(clockTime(since, timezone)) },
];

const good = (name: string, text: string): Check => ({ name, state: 'good', text });

/** Whether it answers and is well, and then a line for each fault that it reports. */
export function serviceChecks({ name, status, version, detail, faults }: ServiceHealth): Check[] {
  if (status === undefined) return [{ name, state: 'bad', text: t.health.silent, todo: t.health.silentTodo }];
  const is = version === undefined ? [] : [`${t.health.version} ${version}`];
  // what it says beside is for whoever looks for a reason
  const todo = [...is, ...(status !== 200 && faults.length === 0 ? detail : [])].join(' · ');
  return [
    status === 200
      ? { name, state: 'good', text: t.health.ok, todo }
      : { name, state: 'bad', text: t.health.failing, todo },
    ...faults.map(({ state, code, message }): Check => ({
      name,
      state: state === 'failing' ? 'bad' : 'warn',
      text: message,
      todo: html`<code>${code}</code>`,
    })),
  ];
}

/** Services of several versions do not always understand each other. */
export function versionChecks(services: readonly ServiceHealth[]): Check[] {
  const versions = [...new Set(services.flatMap(({ version }) => version ?? []))];
  return versions.length < 2
    ? []
    : [
        {
          name: t.health.version,
          state: 'warn',
          text: t.health.versions(versions.join(', ')),
          todo: t.health.versionsTodo,
        },
      ];
}

type Streamer = z.infer<typeof streamerHealth>;

export function orthancChecks({ orthanc, warning }: Streamer): Check[] {
  const { answers, version = '', forSeconds = 0, code = '', message = '' } = orthanc;
  const name = 'Orthanc';
  return [
    answers
      ? good(name, t.health.orthancGood(version))
      : {
          name,
          state: 'bad',
          text: t.health.orthancAway(t.bookings.ago(forSeconds)),
          todo: html`<p>${message} <code>${code}</code></p>`,
        },
    ...(warning === undefined ? [] : [{ name, state: 'warn', text: warning } as const]),
  ];
}

export const ledgerChecks = ({ ledger }: Streamer): Check[] => [
  ledger === 'ok'
    ? good(t.health.ledger, t.health.ledgerGood)
    : { name: t.health.ledger, state: 'bad', text: ledger, todo: t.health.ledgerTodo },
];

const MOST = 10;

export function worklistChecks({ items, problems }: z.infer<typeof problemsAnswer>): Check[] {
  if (problems.length === 0) return [good(t.health.worklist, t.health.items(items.length))];
  return problems
    .slice(0, MOST)
    .map(({ file, reason }) => ({ name: file, state: 'warn', text: reason, todo: t.health.problemTodo }));
}

/** Who sends images that nobody takes. */
export function senderChecks({ senders }: z.infer<typeof strangersAnswer>): Check[] {
  const strangers = senders.filter(({ admitted }) => !admitted);
  if (strangers.length === 0) return [good(t.health.senders, t.health.sendersGood(senders.length))];
  return strangers.slice(0, MOST).map(({ aet }) => ({
    name: aet,
    state: 'warn',
    text: t.health.stranger,
    todo: t.health.strangerTodo,
  }));
}

/** Whom the receiver or the worklist refused, the latest first. Strangers chose the AE titles, so control characters show as codes. */
export function refusedChecks(
  by: 'receiver' | 'worklist',
  callers: RefusedCallers,
  timezone: string,
): Check[] {
  const text = t.health.refused;
  if (callers.length === 0) return [good(text.by[by], text.nobody)];
  const shown = callers.slice(0, MOST).map((one): Check => {
    const said = {
      ...one,
      calledAet: visible(one.calledAet) || text.noTitle,
      last: exactTime(one.last, timezone),
    };
    const why = one.why === '' ? '' : text.why(visible(one.why));
    return {
      name: visible(one.callingAet) || text.noTitle,
      state: 'warn',
      text: text.caller(text.by[by], said),
      todo: `${why}${text.todo[by]}`,
    };
  });
  const more = callers.length - shown.length;
  return more === 0 ? shown : [...shown, { name: text.by[by], state: 'warn', text: text.more(more) }];
}

/** Series that wait for a person. */
export function seriesChecks({ series }: Pick<Counts, 'series'>): Check[] {
  const stuck = (['failed', 'quarantined'] as const).filter((state) => (series[state] ?? 0) > 0);
  if (stuck.length === 0) return [good(t.health.series, t.health.seriesGood)];
  return stuck.map((state) => ({
    name: t.series.found(series[state] ?? 0),
    state: 'bad',
    text: t.series.states[state],
    todo: html`<a href="/series?state=${state}">${t.health.look}</a>`,
  }));
}

const HOUR_MS = 3_600_000;

/** Hooks of which runs failed, or wait too long; conversions to BIDS are one of them. */
export function hookChecks({ hooks }: Counts, now: number): Check[] {
  return hooks.flatMap(({ hook, pending, failed, waiting }): Check[] => {
    const isBids = hook === 'bids';
    const age = waiting === undefined ? 0 : now - waiting;
    const isLate = age > HOUR_MS * (isBids ? HOOK_WAITS_HOURS.bids : HOOK_WAITS_HOURS.other);
    if (failed === 0 && !isLate) return [];
    const text = t.health.hook(pending, failed, isLate ? t.bookings.ago(Math.round(age / 1000)) : undefined);
    const todo = isBids ? t.health.bidsTodo : t.health.hookTodo;
    return [{ name: isBids ? 'BIDS' : hook, state: failed > 0 ? 'bad' : 'warn', text, todo }];
  });
}

/** One check for each folder; several services may see the same one. */
export function diskChecks(machines: readonly Machine[]): Check[] {
  const seen = new Set<string>();
  return machines.flatMap(({ service, machine }) => {
    if (machine === undefined) return [{ name: service, state: 'unknown', text: t.health.notTold } as const];
    return machine.disks.flatMap(({ path, free, total, least, failure }): Check[] => {
      const key = `${path} ${total ?? ''} ${free === undefined ? '' : Math.round(free / 1e8)}`;
      if (seen.has(key)) return [];
      seen.add(key);
      const name = `${path} (${service})`;
      if (free === undefined || total === undefined)
        return [{ name, state: 'bad', text: failure ?? '', todo: t.health.diskTodo }];
      const room = judgeRoom({ free, total, ...defined({ least }) });
      const text = t.health.room(gigabytes(free), gigabytes(total));
      if (room === 'enough') return [good(name, text)];
      if (room === 'low') return [{ name, state: 'warn', text, todo: t.health.roomTodo }];
      const said = least === undefined ? text : t.health.below(text, gigabytes(least));
      return [{ name, state: 'bad', text: said, todo: t.health.roomTodo }];
    });
  });
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 21;

export function certificateChecks(machines: readonly Machine[], now: number): Check[] {
  const all = machines.flatMap(({ machine }) => machine?.certificates ?? []);
  if (all.length === 0) return [good(t.health.certificates, t.health.noCertificates)];
  return all.map(({ key, subject = '', ends, failure }): Check => {
    if (ends === undefined)
      return { name: key, state: 'bad', text: failure ?? '', todo: t.health.certificateTodo };
    const days = Math.floor((ends - now) / DAY_MS);
    const text = t.health.ends(subject, days);
    if (days > SOON_DAYS) return good(key, text);
    return { name: key, state: days < 0 ? 'bad' : 'warn', text, todo: t.health.certificateTodo };
  });
}

// What services try out when somebody presses "Check now", and what came of it last.

/** The sections in which something is tried, and the service that tries it. */
const OWNERS = {
  calendars: 'cal2wl',
  worklist: 'worklist',
  orthanc: 'streamer',
  storage: 'streamer',
  destinations: 'streamer',
} as const satisfies Readonly<Record<string, keyof Services>>;
type TriedSection = keyof typeof OWNERS;

export const isTried = (section: string): section is TriedSection => Object.hasOwn(OWNERS, section);

export interface Tried {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly checks: readonly Check[];
}

/** A service tries one section after the other, and each check ends after seconds. */
const PATIENCE_MS = 60_000;
/** An older result says nothing of now. */
const SHOWN_MS = 900_000;

export function createTries({ services, now }: { readonly services: Services; readonly now: () => number }) {
  const last = new Map<TriedSection, Tried>();
  return {
    /** Has it tried. Returns how that went, in a word for the audit log. Never rejects. */
    run: async (section: TriedSection): Promise<string> => {
      const tried = await ask(services, section, now);
      last.set(section, tried);
      return worst(tried.checks);
    },
    last: (section: string): Tried | undefined => {
      const tried = isTried(section) ? last.get(section) : undefined;
      return tried !== undefined && now() - tried.at < SHOWN_MS ? tried : undefined;
    },
  };
}

export type Tries = ReturnType<typeof createTries>;

async function ask(services: Services, section: TriedSection, now: () => number): Promise<Tried> {
  const owner = OWNERS[section];
  const unknown = (text: string): Tried => ({ at: now(), checks: [{ name: owner, state: 'unknown', text }] });
  let answer: Answered;
  try {
    answer = await services[owner].post(`/api/try/${section}`, {}, PATIENCE_MS);
  } catch (error) {
    if (error instanceof FailureError) return unknown(t.health.silent);
    throw error;
  }
  // a service of a version before has no such page
  if (answer.status !== 200) return unknown(t.health.triesNothing);
  const parsed = triedAnswer.safeParse(answer.body);
  if (!parsed.success) return unknown(t.health.triesNothing);
  const { at, results } = parsed.data;
  const checks = results.map(({ check, state, message, code, todo }): Check => {
    const text = code === undefined ? message : `${message} (${code})`;
    return { name: check, state: STATES[state], text, todo };
  });
  return { at, checks };
}

const STATES = { ok: 'good', warning: 'warn', failed: 'bad', skipped: 'unknown' } as const;

const worst = (checks: readonly Check[]): string =>
  (['bad', 'warn', 'unknown'] as const).find((state) => checks.some((one) => one.state === state)) ?? 'good';

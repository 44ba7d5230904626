/** `scanflow bids`: what a session becomes in BIDS, and the conversion again. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Plan } from '@scanflow/bids';
import { sleep } from '@scanflow/runtime';
import { messageOf } from '@scanflow/failure';
import { EXIT, readArgs, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { CONFIG, openConfig } from '../installation.ts';
import { actionsOf, NotAsked, user } from '../series/client.ts';
import { bar, plain, Progress } from '../terminal.ts';
import {
  bidsClient,
  type BidsClient,
  type BidsSession,
  detailsText,
  isGood,
  issueLines,
  planText,
  statusText,
} from '../bids.ts';

const help = `Usage: scanflow bids plan WHAT [--rules FILE] [--json]
       scanflow bids run WHAT [--no-wait]
       scanflow bids redo WHAT [--no-wait]
       scanflow bids status [WHAT] [--json]
       scanflow bids validate PROJECT [--json]
       scanflow bids suggest PROJECT [--rules FILE]

WHAT is a project, a subject, a session label, an accession number, or the id of a session or series. Talks to the streamer and to the bids service.

  plan            shows what each series becomes, and why; writes nothing
  run             converts the complete sessions that have no BIDS yet, or failed
  redo            converts sessions again: after new rules, for example
  status          shows what became of each session
  validate        validates the whole dataset of a project as it lies; the verdict of a session is of that session alone
  suggest         proposes rules for the series that no rule takes

  --rules FILE    plans with these rules instead of those of the configuration
  --no-wait       does not wait for the end
  --json          prints JSON
  --config FILE   the configuration (default /etc/scanflow/scanflow.yaml)

Example:  docker compose exec streamer scanflow bids plan 3010000.01
Exit:     0 done and valid; 1 invalid, with conflicts, or failed; 2 not started (usage, configuration, rules, nothing found)
`;

const OPTIONS = {
  ...CONFIG,
  rules: { type: 'string' },
  'no-wait': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

interface Asked {
  readonly client: BidsClient;
  readonly what: string | undefined;
  readonly sessions: readonly BidsSession[];
  readonly rules: { readonly file: string; readonly text: string } | undefined;
  readonly json: boolean;
  readonly wait: boolean;
  readonly timezone: string;
  readonly io: Io;
}

type Action = (asked: Asked) => Promise<ExitCode>;

/** Reads options, rules and sessions; throws NotAsked where there is no such session. */
const asking =
  (name: string, action: Action) =>
  async (args: readonly string[], io: Io): Promise<ExitCode> => {
    const { values, positionals } = readArgs(args, OPTIONS, 1);
    const [what] = positionals;
    if (what === undefined && name !== 'status')
      throw new UsageError(`bids ${name} takes a project or a session: scanflow bids ${name} 3010000.01`);
    const rules = values.rules === undefined ? undefined : await readRules(values.rules);
    const config = await openConfig(values.config);
    const client = await bidsClient(config, io);
    const sessions = await client.sessions(what);
    if (what !== undefined && sessions.length === 0)
      throw new NotAsked(`there is no session of ${plain(what)}`);
    const { timezone } = config.facility;
    return action({
      client,
      what,
      sessions,
      rules,
      json: values.json,
      wait: !values['no-wait'],
      timezone,
      io,
    });
  };

async function readRules(file: string): Promise<{ readonly file: string; readonly text: string }> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--rules: ${file} cannot be read: ${messageOf(error)}`);
  });
  return { file: basename(file), text };
}

/** Those of which something is stored. Throws NotAsked where there is none. */
function requestsOf({ sessions }: Asked): NonNullable<BidsSession['request']>[] {
  const requests = sessions.flatMap(({ request }) => (request === undefined ? [] : [request]));
  if (requests.length === 0) throw new NotAsked('nothing of it is stored in a project');
  return requests;
}

async function plan(asked: Asked): Promise<ExitCode> {
  const { client, rules, json, io } = asked;
  const requests = requestsOf(asked);
  const progress = new Progress(io);
  const plans: Plan[] = [];
  try {
    for (const [index, request] of requests.entries())
      plans.push(
        await client.plan({ request, rules }, ({ done, of }) =>
          progress.update(() => bar(index + done / Math.max(of, 1), requests.length)),
        ),
      );
  } finally {
    progress.end();
  }
  io.out.write(json ? `${JSON.stringify(plans, null, 2)}\n` : plans.map(planText).join('\n'));
  return plans.some(({ conflicts }) => conflicts.length > 0) ? EXIT.failed : EXIT.done;
}

/** `run`: those that have no verdict. `redo`: all of them. */
const convert =
  (again: boolean): Action =>
  async (asked) => {
    const { client, sessions, io, wait } = asked;
    const wanted = again
      ? sessions
      : sessions.filter(({ bids }) => bids === undefined || bids.state === 'failed');
    if (wanted.length === 0) {
      io.out.write('every session is converted, or is being converted; scanflow bids redo converts again\n');
      return sessions.every(isGood) ? EXIT.done : EXIT.failed;
    }
    const { opened, left } = await client.redo(
      wanted.map(({ id }) => id),
      user(),
    );
    const ids = new Set(opened as readonly string[]);
    for (const { id, reason } of left as readonly { readonly id: string; readonly reason: string }[])
      io.err.write(`${id.slice(0, 8)}: ${plain(reason)}\n`);
    io.out.write(`${ids.size} ${ids.size === 1 ? 'session' : 'sessions'} handed to the bids service\n`);
    if (!wait || ids.size === 0) return ids.size === wanted.length ? EXIT.done : EXIT.failed;
    const ended = await waited(ids, asked);
    io.out.write(statusOf(ended, asked));
    return ended.every(isGood) && ids.size === wanted.length ? EXIT.done : EXIT.failed;
  };

const LOOK_MS = 1_000;

/** Looks until none of them is under way: done, given up, or a first try that failed. */
async function waited(
  ids: ReadonlySet<string>,
  { client, what, io }: Asked,
): Promise<readonly BidsSession[]> {
  const progress = new Progress(io);
  try {
    for (;;) {
      const all = (await client.sessions(what)).filter(({ id }) => ids.has(id));
      const ended = all.filter(({ bids }) => bids?.state !== 'pending' || bids.failure !== undefined);
      progress.update(() => bar(ended.length, ids.size));
      if (ended.length === all.length) return all;
      await sleep(LOOK_MS, io.signal);
    }
  } finally {
    progress.end();
  }
}

const statusOf = (sessions: readonly BidsSession[], { timezone, what }: Asked): string =>
  `${statusText(sessions, timezone)}${what === undefined ? '' : sessions.map(detailsText).join('')}`;

async function status(asked: Asked): Promise<ExitCode> {
  const { client, sessions, json, io } = asked;
  const service = await client.status().catch((error: unknown) => ({ unreachable: messageOf(error) }));
  if (json) io.out.write(`${JSON.stringify({ service, sessions }, null, 2)}\n`);
  else io.out.write(statusOf(sessions, asked));
  if ('unreachable' in service) io.err.write(`scanflow: ${String(service.unreachable)}\n`);
  const failed = sessions.some(
    ({ bids }) => bids?.failure !== undefined || bids?.result?.verdict === 'invalid',
  );
  return failed || 'unreachable' in service ? EXIT.failed : EXIT.done;
}

interface Verdict {
  readonly verdict: string;
  readonly validator: string;
  readonly errors: Parameters<typeof issueLines>[1];
  readonly warnings: Parameters<typeof issueLines>[1];
}

async function validate(asked: Asked): Promise<ExitCode> {
  const { client, json, io } = asked;
  const [request] = requestsOf(asked);
  const answer = await client.long('/api/validate', { request }, () => undefined);
  const verdict = answer['verdict'] as Verdict;
  const { errors, warnings, validator } = verdict;
  const lines = [...issueLines('error', errors), ...issueLines('warning', warnings)];
  const { dataset, sessions } = answer;
  const looked = `the whole dataset ${String(dataset)}, ${Number(sessions)} ${sessions === 1 ? 'session' : 'sessions'}`;
  const summary = `${verdict.verdict}: ${looked}: ${errors.length} errors, ${warnings.length} warnings, by ${validator}`;
  io.out.write(
    json ? `${JSON.stringify(verdict, null, 2)}\n` : `${[...lines, summary].map(plain).join('\n')}\n`,
  );
  return verdict.verdict === 'valid' ? EXIT.done : EXIT.failed;
}

async function suggest(asked: Asked): Promise<ExitCode> {
  const { client, rules, io } = asked;
  const progress = new Progress(io);
  try {
    const answer = await client.long('/api/suggest', { requests: requestsOf(asked), rules }, ({ done, of }) =>
      progress.update(() => bar(done, of)),
    );
    io.out.write(String(answer['rules']).split('\n').map(plain).join('\n'));
  } finally {
    progress.end();
  }
  return EXIT.done;
}

export const bids: Command = {
  help,
  run: actionsOf('bids', {
    plan: asking('plan', plan),
    run: asking('run', convert(false)),
    redo: asking('redo', convert(true)),
    status: asking('status', status),
    validate: asking('validate', validate),
    suggest: asking('suggest', suggest),
  }),
};

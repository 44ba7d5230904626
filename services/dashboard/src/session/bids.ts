/** The BIDS section of a session: the validator's verdict, and the plan with what no rule takes. */
import { readAnswer, verdictText, type BidsIssue, type BidsResult } from '@scanflow/bids/answer';
import { changesNothing, countsOf, planDiff } from '@scanflow/bids/diff';
import { mayDo, type Person } from '../access/roles.ts';
import { isAway } from '../journey/facts.ts';
import { html, type Html, table } from '../page/html.ts';
import type { SessionsAnswer } from '../sources/streamer-answers.ts';
import type { Found } from '../sources/gather.ts';
import type { MadePlan, PlanAnswer, PlannedRow, Plans } from '../sources/plan.ts';
import { t } from '../texts/pages.ts';

type Session = SessionsAnswer['sessions'][number];

/** Sessions that have a dataset, with what is planned for them, by their id. */
export type BidsPlans = ReadonlyMap<string, PlanAnswer | undefined>;

/** Sessions of one page whose plans are asked for. */
const MOST_SESSIONS = 3;

/** Who asks, and which sessions have a dataset. */
export interface BidsSight {
  readonly person: Person;
  readonly plans: Plans;
  readonly hasDataset: (project: string) => boolean;
}

/**
 * What the section shows of what was found, as far as the person may see it: sessions whose labels they may see, without the series that
 * they may not. A session that still grows has no plan.
 */
export async function plansOf(
  { answer, sessions }: Found,
  { person, plans, hasDataset }: BidsSight,
): Promise<BidsPlans> {
  if (isAway(answer) || isAway(sessions)) return new Map();
  const projects = new Map(sessions.map(({ id, labels }) => [id, labels?.project]));
  const converted = new Set(
    answer.hooks
      .filter(({ target, output }) => target === BIDS_HOOK && readAnswer(output) !== undefined)
      .map(({ subject }) => subject),
  );
  const shown = answer.sessions.flatMap((one) => {
    const project = projects.get(one.id);
    const planned = project !== undefined && hasDataset(project);
    const mayShow = person.role !== 'member' || project !== undefined;
    return mayShow && (planned || converted.has(one.id)) ? [{ one, planned }] : [];
  });
  const entries = shown.slice(0, MOST_SESSIONS).map(async ({ one, planned }) => {
    const plan = planned && one.complete ? onlySeen(await plans(one.id), one) : undefined;
    return [one.id, plan] as const;
  });
  return new Map(await Promise.all(entries));
}

export const BIDS_HOOK = 'hook:bids';

function onlySeen(answer: PlanAnswer, { series }: Session): PlanAnswer {
  if (answer.state !== 'made') return answer;
  const seen = new Set(series.map(({ id }) => id));
  const { plan, was } = answer;
  return {
    ...answer,
    plan: {
      series: plan.series.filter(({ id }) => seen.has(id)),
      conflicts: plan.conflicts.filter((one) => one.series.every((id) => seen.has(id))),
    },
    ...(was && { was: was.filter(({ id }) => seen.has(id) || !plan.series.some((one) => one.id === id)) }),
  };
}

export interface BidsView {
  readonly found: Found;
  readonly person: Person;
  readonly plans: BidsPlans;
}

export function bidsSection({ found: { answer }, person, plans }: BidsView): Html | false {
  if (isAway(answer) || plans.size === 0) return false;
  return html`<section aria-label="${t.bids.title}" id="bids">
    <h2>${t.bids.title}</h2>
    ${answer.sessions
      .filter(({ id }) => plans.has(id))
      .map(
        (one) =>
          html`<div class="line">
            ${outcomeOf(one, answer, { person, plan: plans.get(one.id) })}
            ${planOf(one, plans.get(one.id), person)}
          </div>`,
      )}
  </section>`;
}

type Hook = SessionsAnswer['hooks'][number];

/**
 * Why a hook failed, as far as the person may read it: a part of the session that a person moved to another project has words of
 * that project.
 */
export function failureSeen({ target, output, failure }: Hook, { role, projects }: Person): Hook['failure'] {
  if (failure === undefined || role !== 'member' || target !== BIDS_HOOK) return failure;
  const said = readAnswer(output);
  const project = said?.ok === false ? said.project : undefined;
  const isTheirs = project === undefined || projects.includes(project);
  return isTheirs ? failure : { code: failure.code, message: t.bids.elsewhere };
}

/** Where one part failed, the others may be those of another project. */
function resultSeen({ state, output, failure }: Hook, { role }: Person): BidsResult | undefined {
  const mayShow = state === 'done' || (failure !== undefined && role !== 'member');
  return mayShow ? readAnswer(output)?.result : undefined;
}

/** What became of the conversion: the verdict with what the validator found, or why there is none. */
function outcomeOf(
  { id, complete, bids }: Session,
  { hooks }: SessionsAnswer,
  view: { readonly person: Person; readonly plan: PlanAnswer | undefined },
): Html {
  const delivery = hooks.find(({ subject, target }) => subject === id && target === BIDS_HOOK);
  const result = delivery && resultSeen(delivery, view.person);
  const { state = bids?.state } = delivery ?? {};
  const failure = delivery && failureSeen(delivery, view.person);
  if (state === undefined) return html`<p>${complete ? t.bids.notConverted : t.bids.notYet}</p>`;
  return html`${
    failure !== undefined &&
    html`<p class="say ${state === 'failed' ? 'bad' : 'plain'}">
      ${failure.message} <code>${failure.code}</code>
    </p>`
  }
  ${state === 'pending' && failure === undefined && html`<p>${t.bids.waiting}</p>`}
  ${result !== undefined && verdictOf(result, view)}`;
}

function verdictOf(result: BidsResult, { person, plan }: Parameters<typeof outcomeOf>[2]): Html {
  const { verdict, dataset, folder, errors, warnings, errorCount, warningCount, conflicts, failed, kept } =
    result;
  const bad = verdict === 'invalid' || failed.length > 0;
  const tag = html`<span class="tag ${bad ? 'failed' : 'complete'}">${verdictText(result)}</span>`;
  // of several parts this is the worst: maybe that of another project
  if (person.role === 'member' && result.also !== undefined) return html`<p class="verdict">${tag}</p>`;
  return html`<p class="verdict">${tag} ${folder !== '' && html`<code>${dataset}/${folder}</code>`}</p>
    ${issueList(t.bids.errors(errorCount), errors, errorCount)}
    ${issueList(t.bids.warnings(warningCount), warnings, warningCount)}
    ${listOf(
      t.bids.failed(failed.length),
      failed.map(({ code, series, message }) => [code, `${series}: ${message}`]),
    )}
    ${
      // a plan has those of this moment
      plan?.state !== 'made' &&
      listOf(
        t.bids.conflicts,
        conflicts.map(({ code, message }) => [code, message]),
      )
    }
    ${listOf(
      t.bids.kept,
      kept.map(({ path, why }) => [path, why]),
    )}
    ${
      // under other labels: maybe those of another project
      person.role !== 'member' && listOf(t.bids.also, partsOf(result))
    }`;
}

const partsOf = ({ also = [], removed = [] }: BidsResult): (readonly [string, string])[] => [
  ...also.map(({ folder, verdict, state, errorCount }) => {
    const errors = errorCount === 0 ? '' : `, ${t.bids.errors(errorCount)}`;
    return [folder, `${verdict ?? state}${errors}`] as const;
  }),
  ...removed.flatMap(({ folders }) => folders.map((one) => [one, t.bids.removed] as const)),
];

const issueList = (title: string, issues: readonly BidsIssue[], count: number): Html =>
  html`${listOf(
    title,
    issues.map(({ code, message, files, count: of }) => [
      code,
      [message, ...(of > 0 ? [t.bids.files(of)] : []), ...files].join(' · '),
    ]),
  )}
  ${count > issues.length && html`<p class="more">${t.bids.moreIssues(count - issues.length)}</p>`}`;

const listOf = (title: string, lines: readonly (readonly [code: string, text: string])[]): Html | false =>
  lines.length > 0 &&
  html`<h3>${title}</h3>
    <ul>
      ${lines.map(([code, text]) => html`<li><code>${code}</code> ${text}</li>`)}
    </ul>`;

const MOST_ROWS = 500;

function planOf({ id, complete }: Session, answer: PlanAnswer | undefined, person: Person): Html | false {
  if (answer === undefined) return false;
  return html`<h3>${t.bids.plan}</h3>
    ${answer.state === 'made' ? planTable(answer) : planMissing(answer)}
    ${
      answer.state === 'made' &&
      complete &&
      mayDo(person, 'redo') &&
      html`<p class="actions"><a class="button" href="/session/${id}/redo">${t.bids.redo.open}</a></p>`
    }`;
}

/** Why there is no plan on the page, as a sentence. */
export const planMissing = (answer: Exclude<PlanAnswer, MadePlan>): Html =>
  answer.state === 'under way'
    ? html`<p role="status">${t.bids.underWay(answer.done, answer.of)} <a href="">${t.bids.again}</a></p>`
    : html`<p class="say plain">${t.bids.noPlan} ${answer.message}</p>`;

function planTable(answer: MadePlan): Html {
  const { plan, was, taken } = answer;
  const conflicts = [...(taken === undefined ? [] : [taken]), ...plan.conflicts];
  const rows = was === undefined ? [] : planDiff(was, answer);
  return html`${listOf(
    t.bids.conflicts,
    conflicts.map(({ code, message }) => [code, message]),
  )}
  ${table(t.bids.plan, [t.bids.columns.series, t.bids.columns.target, t.bids.columns.why], plan.series.slice(0, MOST_ROWS).map(rowOf))}
  ${plan.series.length > MOST_ROWS && html`<p class="more">${t.bids.more(plan.series.length - MOST_ROWS)}</p>`}
  ${leftOver(plan.series)}
  ${was !== undefined && html`<p>${changesNothing(rows) ? t.bids.asIs : t.bids.wouldChange(t.bids.counts(countsOf(rows)))}</p>`}`;
}

export const folderName = (folder: string): string => folder.split('/').at(-1) ?? folder;

const rowOf = ({ folder, decision, reason, rule, outputs }: PlannedRow): Html =>
  html`<tr>
    <th scope="row">${folderName(folder)}</th>
    <td>
      ${
        outputs.length === 0
          ? html`<span class="tag">${t.bids.decisions[decision]}</span>`
          : outputs.map(({ path }) => html`<code class="name">${path}</code>`)
      }
    </td>
    <td>${reason}${rule !== undefined && !reason.includes(rule) && html` <code>${rule}</code>`}</td>
  </tr>`;

/** What stays in the source data because no rule takes it, with the rule that would. */
function leftOver(series: readonly PlannedRow[]): Html | false {
  const left = series.flatMap(({ suggestion }) => suggestion ?? []);
  return (
    left.length > 0 &&
    html`<details>
      <summary>${t.bids.left(left.length)}</summary>
      <p>${t.bids.leftHelp}</p>
      <pre tabindex="0">${left.slice(0, MOST_ROWS).join('')}</pre>
    </details>`
  );
}

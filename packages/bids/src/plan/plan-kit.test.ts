/** What tests of plans share: a series of a session, a session of series, and a plan in short. */
import assert from 'node:assert/strict';
import { parseRules } from '../rules/parse.ts';
import { ruleSet } from '../rules/set.ts';
import type { RuleSet } from '../rules/types.ts';
import type { Output, Plan, PlannedSeries, SeriesFacts, SessionFacts, PlanOptions } from '../types.ts';
import { planSession } from './plan.ts';

export const GEOMETRY = {
  rows: 64,
  columns: 64,
  slices: 30,
  spacing: [3, 3, 3],
  orientation: [1, 0, 0, 0, 1, 0],
  position: [-96, -96, -45],
} as const;

export const output = (over: Partial<Output> = {}): Output => ({
  name: 'image',
  imageType: ['ORIGINAL', 'PRIMARY', 'M'],
  part: 'mag',
  echo: undefined,
  echoTime: 0.03,
  inversionTime: undefined,
  phaseEncodingDirection: 'j',
  shim: undefined,
  sidecar: {},
  ...over,
});

export type Over = Partial<SeriesFacts> & { readonly name: string };

/** Number and time go up with the place in the session. */
export const facts = ({ name, ...over }: Over, index: number): SeriesFacts => ({
  id: `s${index + 1}`,
  seriesInstanceUid: `1.2.${index + 1}`,
  studyInstanceUid: '1.2',
  accessionNumber: 'A1',
  seriesNumber: index + 1,
  folder: `raw/${index + 1}`,
  modality: 'MR',
  manufacturer: 'SIEMENS',
  model: 'Prisma',
  scanner: 'PRISMA',
  protocolName: name,
  seriesDescription: name,
  sequenceName: '',
  mrAcquisitionType: '2D',
  acquired: {
    from: `2026-11-30T10:${String(index).padStart(2, '0')}:00.000000`,
    to: `2026-11-30T10:${String(index).padStart(2, '0')}:30.000000`,
  },
  images: 1,
  volumes: 1,
  whole: true,
  plannedVolumes: undefined,
  bValues: [],
  geometry: GEOMETRY,
  outputs: [output()],
  unconvertible: undefined,
  ...over,
});

export const session = (series: readonly Over[], over: Partial<SessionFacts> = {}): SessionFacts => ({
  project: '3010000.01',
  subject: 'sub-001',
  session: 'ses-mr01',
  accessionNumber: 'A1',
  series: series.map(facts),
  ...over,
});

export const plan = (series: readonly Over[], options: Partial<PlanOptions> = {}, rules = ruleSet()): Plan =>
  planSession(session(series), rules, options);
export const shortOf = ({ decision, outputs }: PlannedSeries): string =>
  decision === 'convert'
    ? outputs.map(({ path }) => path.split('/').at(-1)?.replace('sub-001_ses-mr01_', '')).join(' ')
    : decision;
export const shown = (made: Plan): string[] => made.series.map(shortOf);

export const BOLD = { name: 'func-bold_task-rest', volumes: 200, plannedVolumes: 200 };
export const rules = (text: string): RuleSet => {
  const read = parseRules(text, 'rules.yaml');
  assert.ok(read.ok, JSON.stringify(read));
  return ruleSet(read.rules);
};

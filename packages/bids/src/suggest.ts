/** Rules for the series that no rule takes, as YAML for a person to complete. Pure. */
import { choose } from './plan/choose.ts';
import type { RuleSet } from './rules/types.ts';
import type { SeriesFacts, SessionFacts } from './types.ts';

/** A file of rules with comments: one rule for each kind of series that is unknown. Empty rules where none is. */
export function suggestRules(sessions: readonly SessionFacts[], rules: RuleSet): string {
  const kinds = new Map<string, { readonly series: SeriesFacts; count: number }>();
  for (const session of sessions)
    for (const series of session.series) {
      const one = choose(session, series, rules);
      if (one.kind !== 'left' || one.decision !== 'unknown') continue;
      const known = kinds.get(nameOf(series));
      if (known === undefined) kinds.set(nameOf(series), { series, count: 1 });
      else known.count += 1;
    }
  if (kinds.size === 0) return 'rules: []\n';
  const texts = [...kinds.values()].map(({ series, count }) => {
    const times = count === 1 ? '1 series' : `${count} series`;
    return `  # ${times}\n${indented(suggestionFor(series))}`;
  });
  return `# Complete each rule, and delete those that you do not want. Until then, these series stay in the source data.\nrules:\n${texts.join('')}`;
}

const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}\n`)
    .join('');

const nameOf = ({ protocolName, seriesDescription }: SeriesFacts): string =>
  JSON.stringify([protocolName, seriesDescription]);

/** One rule that would take the series: a draft, which a person has to confirm. */
export function suggestionFor(series: SeriesFacts): string {
  const { protocolName, seriesDescription } = series;
  const [key, value] =
    seriesDescription === '' && protocolName !== ''
      ? ['protocolName', protocolName]
      : ['seriesDescription', seriesDescription];
  return [
    `# ${oneLine(aboutOf(series))}`,
    `- when: {${key}: ${quoted(`^${escaped(value)}$`)}}`,
    ...draftOf(series).map((line) => `  ${line}`),
    '',
  ].join('\n');
}

/** A pattern's own characters, as letters. */
const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
/** YAML in single quotes. Line ends and other controls of hostile names become a point, which matches any of them. */
const quoted = (text: string): string => `'${text.replaceAll(/\p{Cc}/gu, '.').replaceAll("'", "''")}'`;
const oneLine = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ');

function aboutOf({ modality, volumes, geometry, bValues, outputs, manufacturer }: SeriesFacts): string {
  const [output] = outputs;
  const echo = output?.echoTime;
  return [
    [manufacturer, modality].filter(Boolean).join(' '),
    ...(volumes > 0 ? [volumes === 1 ? '1 volume' : `${volumes} volumes`] : []),
    ...(geometry === undefined ? [] : [`${geometry.columns} × ${geometry.rows} × ${geometry.slices}`]),
    ...(echo === undefined ? [] : [`echo time ${Number((echo * 1000).toFixed(2))} ms`]),
    ...((bValues.at(-1) ?? 0) > 0 ? [`b up to ${bValues.at(-1) ?? 0} s/mm²`] : []),
  ].join(', ');
}

const FUNCTIONAL_VOLUMES = 20;

function draftOf({ modality, bValues, volumes, outputs, mrAcquisitionType }: SeriesFacts): string[] {
  const other = '# or: ignore: why it is not wanted';
  if (modality === 'PT') return ['datatype: pet', 'suffix: pet', other];
  if (modality !== 'MR') return ['ignore: no MR images # or: datatype and suffix'];
  if ((bValues.at(-1) ?? 0) > 50) return ['datatype: dwi', 'suffix: dwi', other];
  if (volumes >= FUNCTIONAL_VOLUMES)
    return ['datatype: func', 'suffix: bold', 'entities: {task: TASK} # the name of your task', other];
  if (outputs.some(({ part }) => part === 'phase')) return ['datatype: fmap', 'suffix: phasediff', other];
  return [
    'datatype: anat',
    `suffix: ${mrAcquisitionType === '3D' ? 'T1w' : 'T2w'} # which contrast it is`,
    other,
  ];
}

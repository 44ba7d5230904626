/** Layouts of project storage: those with a name, what the text of one stands for, and the rules of a good one. Pure. */
import { LABELS } from '@scanflow/booking';
import { attributeProblem, type KnownAttributes } from './values.ts';
import { didYouMean, type Finding } from './issue.ts';

const IMAGE = '{InstanceNumber:5}_{SOPInstanceUID}.dcm';
const SERIES = '{SeriesNumber:3}-{SeriesDescription}';

/** Templates by name. */
export const LAYOUTS: Readonly<Record<string, string>> = {
  // 3010000.01/raw/sub-001/ses-mri01/003-t1_mprage_sag/00001_1.3.12.2.1107.dcm
  dccn: `{project}/raw/{subject}/{session}/${SERIES}/${IMAGE}`,
  // 3010000.01/sourcedata/sub-001/ses-mri01/003-t1_mprage_sag/00001_1.3.12.2.1107.dcm
  'bids-sourcedata': `{project}/sourcedata/{subject:bids}/{session:bids}/${SERIES}/${IMAGE}`,
  // 20261122-2.25.1234/003-2.25.5678/00001_1.3.12.2.1107.dcm
  'study-series': `{StudyDate}-{StudyInstanceUID}/{SeriesNumber:3}-{SeriesInstanceUID}/${IMAGE}`,
};

export const EXTENSIONS = ['dcm', 'IMA', 'none'] as const;
export type Extension = (typeof EXTENSIONS)[number];

/** Whether a layout is a template of its own, like `{project}/raw/{SeriesNumber}`, and not the name of one of LAYOUTS. */
export const isTemplate = (layout: string): boolean => layout.includes('/');

/** The template that `layout` names or is; `extension` is that of named ones, `.dcm` if absent. */
export function layoutTemplate(layout: string, extension?: Extension): string {
  const template = LAYOUTS[layout];
  if (template === undefined) return layout;
  return template.replace(/\.dcm$/, extension === 'none' ? '' : `.${extension ?? 'dcm'}`);
}

const FIELD = /\{(?<name>[A-Za-z][A-Za-z0-9]*)(?::(?<format>\d{1,2}|bids))?\}/g;
/** Names of 230 bytes each must fit into a path (4,096 bytes on Linux), and a root with them. */
const MOST_PARTS = 14;

/** What `storage` says of layouts. */
interface Layouts {
  readonly layout: string;
  readonly unmatched: string;
  readonly extension?: Extension | undefined;
  readonly projects: Readonly<Record<string, { readonly layout?: string | undefined }>>;
  readonly copy?: { readonly layout: string } | undefined;
}

export function layoutRules(
  { layout, unmatched, extension, projects, copy }: Layouts,
  known: KnownAttributes | undefined,
): Finding[] {
  const found = (path: readonly string[], text: string, labelled: boolean): Finding[] =>
    problems(text, labelled, known).map((message) => ({ path: ['storage', ...path], message }));
  const own = Object.entries(projects).flatMap(([name, project]) =>
    project.layout === undefined ? [] : found(['projects', name, 'layout'], project.layout, true),
  );
  return [
    ...found(['layout'], layout, true),
    ...(unmatched === 'quarantine' ? [] : found(['unmatched'], unmatched, false)),
    ...own,
    ...(copy === undefined ? [] : found(['copy', 'layout'], copy.layout, false)),
    ...(extension === undefined || !isTemplate(layout)
      ? []
      : [
          {
            path: ['storage', 'extension'],
            message: 'goes with a layout that has a name; write the extension into the layout',
          },
        ]),
  ];
}

/** `labelled`: of images whose project, subject and session are known. */
function problems(layout: string, labelled: boolean, known: KnownAttributes | undefined): string[] {
  const template = LAYOUTS[layout] ?? layout;
  if (!isTemplate(template)) return [noLayout(layout)];
  const braces = template.replaceAll(FIELD, '').match(/[{}][^/]*/)?.[0];
  const found = [
    ...pathProblems(template),
    ...(braces === undefined
      ? []
      : [`cannot read the braces at ${braces}; expected {subject} or {SeriesNumber:3}`]),
    ...fieldsOf(template).flatMap((field) => fieldProblem(field, labelled, known) ?? []),
  ];
  // the other mistakes may well be the reason that it is not seen
  if (found.length === 0 && !fieldsOf(template).some(({ name }) => name === 'SOPInstanceUID'))
    found.push('the layout needs {SOPInstanceUID}: without it two images could have the same name');
  return found;
}

function noLayout(name: string): string {
  const known = Object.keys(LAYOUTS);
  return `there is no layout of that name${didYouMean(name, known)} (there: ${known.join(', ')}). A layout of your own has a folder and a file name, like {project}/{SOPInstanceUID}.dcm`;
}

function pathProblems(layout: string): string[] {
  if (layout.startsWith('/')) return ['the layout is relative to its root: no slash at its start'];
  const parts = layout.split('/');
  if (parts.some((part) => part === '..' || part === '.' || part === ''))
    return ['no part of the layout may be empty, . or ..'];
  return parts.length > MOST_PARTS ? [`the layout has more than ${MOST_PARTS} parts`] : [];
}

interface Field {
  readonly name: string;
  readonly format: string | undefined;
}

function fieldProblem(
  { name, format }: Field,
  labelled: boolean,
  known: KnownAttributes | undefined,
): string | undefined {
  if (format === 'bids' && name !== 'subject' && name !== 'session')
    return `{${name}:bids} cannot be: there are {subject:bids} and {session:bids}`;
  // keywords of DICOM attributes begin with a capital (PS3.6)
  if (/^[A-Z]/.test(name)) return attributeProblem(name, known);
  if (!LABELS.some((label) => label === name))
    return `{${name}} is no label; there are {project}, {subject}, {session} and keywords like {SeriesNumber}`;
  return labelled ? undefined : `{${name}} cannot be filled: these are the images whose project is not known`;
}

const fieldsOf = (layout: string): Field[] =>
  [...layout.matchAll(FIELD)].map(({ groups }) => ({
    name: groups?.['name'] ?? '',
    format: groups?.['format'],
  }));
